#include "helpers.h"

#include <sched.h>
#include <stdlib.h>

#include "beside.h"
#include "team.h"

/* Nanoseconds that a helper waits awake, as long as nobody else wants its core: from window to window of
 * small nets. */
static const int64_t AWAKE = 300000;

struct helper {
    struct helper *next; /* of the idle ones */
    pthread_cond_t called;
    atomic_int is_called;
    void (*work)(void *);
    void *given;
    atomic_int_fast64_t *done;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the idle ones, and of falling asleep */
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

static void wait_to_be_called(struct helper *me)
{
    int64_t until = time_now() + AWAKE;
    while (!atomic_load_explicit(&me->is_called, memory_order_acquire) && time_now() < until)
        sched_yield();
    if (!atomic_load_explicit(&me->is_called, memory_order_acquire)) {
        pthread_mutex_lock(&lock);
        while (!me->is_called)
            pthread_cond_wait(&me->called, &lock);
        pthread_mutex_unlock(&lock);
    }
    me->is_called = 0;
}

static void *stand_by(void *given)
{
    for (struct helper *me = given;; wait_to_be_called(me)) {
        me->work(me->given);
        /* Idle first: whoever waits for `done` may want help again at once. */
        atomic_int_fast64_t *done = me->done;
        pthread_mutex_lock(&lock);
        me->next = idle;
        idle = me;
        pthread_mutex_unlock(&lock);
        atomic_fetch_add(done, 1);
    }
    return 0;
}

/* Calls an idle helper, if there is one. */
static int call(void (*work)(void *), void *given, atomic_int_fast64_t *done)
{
    pthread_mutex_lock(&lock);
    struct helper *helper = idle;
    if (helper) {
        idle = helper->next;
        helper->work = work;
        helper->given = given;
        helper->done = done;
        atomic_store_explicit(&helper->is_called, 1, memory_order_release);
        pthread_cond_signal(&helper->called);
    }
    pthread_mutex_unlock(&lock);
    return helper != 0;
}

int help_with(void (*work)(void *), void *given, atomic_int_fast64_t *done)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, watch_forks);
    if (call(work, given, done))
        return 1;
    struct helper *helper = malloc(sizeof *helper);
    pthread_t thread;
    if (!helper)
        return 0;
    *helper = (struct helper){.called = PTHREAD_COND_INITIALIZER, .work = work, .given = given, .done = done};
    if (start_beside(&thread, stand_by, helper)) {
        free(helper);
        return 0;
    }
    pthread_detach(thread);
    return 1;
}
