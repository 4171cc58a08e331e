/* Asks for help again and again, once it has been given, and again and again, taking back what has not begun;
 * then forks, and the child asks too. Prints how many threads helped before the fork, whether what was taken
 * back and nothing else was never done, and whether a thread helped after the fork. */
#include "../../charrnn/native/helpers.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CALLS = 1000, PATIENCE = 20 /* seconds */ };

static void note_thread(void *thread)
{
    *(pthread_t *)thread = pthread_self();
}

/* The thread that helped. */
static pthread_t helped(void)
{
    pthread_t thread = pthread_self();
    atomic_int_fast64_t done = 0;
    if (help_with(note_thread, &thread, &done))
        while (!done)
            sched_yield();
    return thread;
}

static void count(void *sum)
{
    atomic_fetch_add((atomic_int *)sum, 1);
}

/* Whether calls are either taken back, as the first is, whose thread cannot be there yet, or answered. */
static int is_taken_back_or_done(void)
{
    atomic_int answered = 0;
    int taken_back = 0;
    for (int i = 0; i < CALLS; i++) {
        atomic_int_fast64_t done = 0;
        struct helper *helper = help_with(count, &answered, &done);
        if (i % 3 == 0)
            usleep(i % 7);
        if (take_back(helper, &done))
            taken_back++;
        else
            while (!done)
                sched_yield();
        if (taken_back + answered != i + 1)
            return 0;
    }
    return taken_back > 0;
}

int main(void)
{
    int is_kept_to = is_taken_back_or_done();
    pthread_t last = helped();
    int threads = 1;
    for (int i = 1; i < CALLS; i++) {
        if (i % 100 == 0)
            usleep(2000); /* long enough to fall asleep */
        pthread_t next = helped();
        threads += !pthread_equal(last, next);
        last = next;
    }
    pid_t child = fork();
    if (child == 0) {
        alarm(PATIENCE);
        _exit(pthread_equal(helped(), pthread_self()) ? 1 : 0);
    }
    int status;
    waitpid(child, &status, 0);
    printf("%d %s %s\n", threads, is_kept_to ? "kept" : "not kept", status == 0 ? "helped" : "not helped");
    return 0;
}
