#include "helpers.h"

#include <sched.h>
#include <stdlib.h>

#include "beside.h"
#include "team.h"

/* Nanoseconds that a helper waits awake, as long as nobody else wants its core: from window to window of
 * small nets. */
static const int64_t AWAKE = 300000;

enum state { IDLE, CALLED, WORKING };

struct helper {
    struct helper *next; /* of the idle ones */
    pthread_cond_t called;
    atomic_int state;
    void (*work)(void *);
    void *given;
    atomic_int_fast64_t *done;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the idle ones, of calls, of falling asleep */
static struct helper *idle;

/* A process that forks has its helpers' memory, but not their threads. */
static void forget_helpers(void)
{
    idle = 0;
    lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
}

static void watch_forks(void)
{
    pthread_atfork(0, 0, forget_helpers);
}

static int is_called(struct helper *me)
{
    return atomic_load_explicit(&me->state, memory_order_acquire) == CALLED;
}

static int change(struct helper *me, int from, int to)
{
    return atomic_compare_exchange_strong(&me->state, &from, to);
}

/* A call may be taken back between being heard and being answered. */
static void wait_to_be_called(struct helper *me)
{
    do {
        int64_t until = time_now() + AWAKE;
        while (!is_called(me) && time_now() < until)
            sched_yield();
        if (!is_called(me)) {
            pthread_mutex_lock(&lock);
            while (!is_called(me))
                pthread_cond_wait(&me->called, &lock);
            pthread_mutex_unlock(&lock);
        }
    } while (!change(me, CALLED, WORKING));
}

static void lie_idle(struct helper *me)
{
    me->next = idle;
    idle = me;
}

static void *stand_by(void *given)
{
    for (struct helper *me = given;;) {
        wait_to_be_called(me);
        me->work(me->given);
        /* Idle first: whoever waits for `done` may want help again at once. */
        atomic_int_fast64_t *done = me->done;
        pthread_mutex_lock(&lock);
        atomic_store(&me->state, IDLE);
        lie_idle(me);
        pthread_mutex_unlock(&lock);
        atomic_fetch_add(done, 1);
    }
    return 0;
}

/* Calls an idle helper, if there is one. */
static struct helper *call(void (*work)(void *), void *given, atomic_int_fast64_t *done)
{
    pthread_mutex_lock(&lock);
    struct helper *helper = idle;
    if (helper) {
        idle = helper->next;
        helper->work = work;
        helper->given = given;
        helper->done = done;
        atomic_store_explicit(&helper->state, CALLED, memory_order_release);
        pthread_cond_signal(&helper->called);
    }
    pthread_mutex_unlock(&lock);
    return helper;
}

static struct helper *engage(void (*work)(void *), void *given, atomic_int_fast64_t *done)
{
    struct helper *helper = malloc(sizeof *helper);
    pthread_t thread;
    if (!helper)
        return 0;
    *helper = (struct helper){
        .called = PTHREAD_COND_INITIALIZER, .state = CALLED, .work = work, .given = given, .done = done};
    if (start_beside(&thread, stand_by, helper)) {
        free(helper);
        return 0;
    }
    pthread_detach(thread);
    return helper;
}

struct helper *help_with(void (*work)(void *), void *given, atomic_int_fast64_t *done)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, watch_forks);
    struct helper *helper = call(work, given, done);
    return helper ? helper : engage(work, given, done);
}

int take_back(struct helper *helper, const atomic_int_fast64_t *done)
{
    pthread_mutex_lock(&lock);
    /* It may have done its work and be called by somebody else by now. */
    int is_taken_back = helper->done == done && change(helper, CALLED, IDLE);
    if (is_taken_back)
        lie_idle(helper);
    pthread_mutex_unlock(&lock);
    return is_taken_back;
}
