/* Whether the end of objects of shared libraries can be seen: their code may do anything. A process that is made for that takes all objects of the
 * snapshot apart, and may do nothing meanwhile but to give back memory. What a library keeps for a program later, it writes through a file that is open
 * then: an end with open files counts as one that can be seen, too. */
#include FF_LAYOUT

#include "restore.h"

#include <dirent.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int is_trial;

/* Everything else ends the process. */
static int forbid_calls(void)
{
    static const unsigned int allowed[] = {
        SYS_exit_group, SYS_exit, SYS_munmap, SYS_mmap, SYS_mremap, SYS_madvise, SYS_mprotect, SYS_brk, SYS_futex, SYS_sched_yield, SYS_getpid,
        SYS_gettid, SYS_clock_gettime, SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_sigaltstack, SYS_membarrier, SYS_get_robust_list,
    };
    enum { COUNT = sizeof(allowed) / sizeof(allowed[0]) };
    struct sock_filter filter[COUNT + 3];
    int length = 0;
    filter[length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (int i = 0; i < COUNT; i++) {
        filter[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, allowed[i], (unsigned char)(COUNT - i), 0);
    }
    filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {(unsigned short)length, filter};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 ? 0 : -1;
}

/* When everything that a quick end does, too, is done. */
void ff_begin_trial(void)
{
    if (is_trial && forbid_calls() < 0) {
        _exit(1);
    }
    is_trial = 0;
}

static void end_child(void)
{
    static const struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &none);
    is_trial = 1;
    PyOS_AfterFork_Child();
    if (PyRun_SimpleString("import atexit\natexit._clear()\n") != 0) { /* of the process that goes on */
        _exit(1);
    }
    (void)Py_FinalizeEx();
    _exit(0);
}

/* When the snapshot's objects are there. */
int ff_try_end(void)
{
    PyOS_BeforeFork();
    pid_t child = fork();
    if (child == 0) {
        end_child();
    }
    PyOS_AfterFork_Parent();
    int status;
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* ---- Open files ---- */

#define INHERITED 256
static struct pollfd inherited[INHERITED]; /* by their numbers; those that are not open have POLLNVAL */
static int are_noted;

/* In a restored process, which may have some of another one. */
void ff_note_open_files(void)
{
    for (int fd = 0; fd < INHERITED; fd++) {
        inherited[fd] = (struct pollfd){.fd = fd, .revents = POLLNVAL}; /* where there is a limit of fewer files */
    }
    are_noted = poll(inherited, INHERITED, 0) >= 0;
}

static int is_inherited(int fd)
{
    return fd <= STDERR_FILENO || (are_noted && fd < INHERITED && (inherited[fd].revents & POLLNVAL) == 0);
}

/* Whether the process has opened any that are still open. */
int ff_has_open_files(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;
    for (struct dirent *each; folder != NULL && (each = readdir(folder)) != NULL;) {
        int fd = atoi(each->d_name);
        count += each->d_name[0] != '.' && !is_inherited(fd) && fd != dirfd(folder);
    }
    if (folder == NULL) {
        return 1;
    }
    closedir(folder);
    return count > 0;
}
