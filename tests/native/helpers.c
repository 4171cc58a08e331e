/* Asks for help again and again, once it has been given; then forks, and the child asks too. Prints how many
 * threads helped before the fork, and whether one helped after it. */
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

int main(void)
{
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
    printf("%d %s\n", threads, status == 0 ? "helped" : "not helped");
    return 0;
}
