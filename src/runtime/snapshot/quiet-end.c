/* Whether the end of objects of shared libraries can be seen: their code may do anything. A process that is made for that takes all objects of the
 * snapshot apart, and may do nothing meanwhile but to give back memory. What a library keeps for a program later, it writes through a file that is open
 * then: an end with open files counts as one that can be seen, too. */
#include FF_LAYOUT

#include "restore.h"
#include "versions.h"

#include <dirent.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
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
    /* Of the process that goes on. What weakref.finalize still has to do atexit does, which turns it off (Lib/weakref.py, finalize._exitfunc()). */
    if (PyRun_SimpleString("import atexit, sys\natexit._clear()\nif 'weakref' in sys.modules: sys.modules['weakref'].finalize._shutdown = True\n") != 0) {
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

/* ---- Functions of libraries, in a process that ends ---- */

#define LONGEST 5 /* seconds */

/* For a copy of a process, which runs what may never end. */
static void limit_copy(void)
{
    static const struct rlimit none = {0, 0};
    static const struct itimerval longest = {.it_value = {.tv_sec = LONGEST}};
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)signal(SIGALRM, SIG_DFL);
    (void)setitimer(ITIMER_REAL, &longest, NULL);
}

/* How a copy of this process ended, as waitpid() says it; -1 if there is none. Its end sends no signal. */
static int wait_for_copy(long child)
{
    int status;
    return child > 0 && waitpid((pid_t)child, &status, __WALL) == child ? status : -1;
}

static int is_copy_done(long child)
{
    int status = wait_for_copy(child);
    return status >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Makes calls, numbered from 0, in a copy of this process; if `is_python_ended`, one with FF_FIRST_CALL, then functions of atexit, then those. Gives the number
 * of the first that does anything but to give back memory, or ends the process; if none does, how many there are; -1 where it cannot be tried, one takes too
 * long (it waits for a thread that the copy has not), or such a function does. */
size_t ff_try_calls(int is_python_ended, void (*call)(size_t), size_t count)
{
    size_t *current = mmap(NULL, FF_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (current == MAP_FAILED) {
        return (size_t)-1;
    }
    long child = syscall(SYS_clone, 0, 0, 0, 0, 0);
    if (child == 0) {
        limit_copy();
        *current = (size_t)-1;
        ff_leave_region(); /* as in a restored process, which leaves blocks as they are that it frees */
        if (is_python_ended) {
            PyOS_AfterFork_Child();
            call(FF_FIRST_CALL);
        }
        if (forbid_calls() < 0 || (is_python_ended && PyRun_SimpleString("import atexit\natexit._run_exitfuncs()\n") != 0)) {
            _exit(1);
        }
        for (*current = 0; *current < count; ++*current) {
            call(*current);
        }
        *current = (size_t)-1;
        _exit(fflush(NULL) == 0 ? 0 : 1); /* what they have printed would be written later */
    }
    int status = wait_for_copy(child), is_late = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
    int is_done = status == 0 && *current == (size_t)-1;
    size_t result = is_done ? count : status < 0 || is_late ? (size_t)-1 : *current;
    (void)munmap(current, FF_PAGE);
    return result;
}

/* ---- Single objects, in a process that ends ---- */

static void keep(void *Py_UNUSED(context), void *Py_UNUSED(memory))
{
}

/* What was given back stays as it was: others may still refer to it. */
static void keep_memory(void)
{
    static const PyMemAllocatorDomain domains[] = {PYMEM_DOMAIN_RAW, PYMEM_DOMAIN_MEM, PYMEM_DOMAIN_OBJ};
    for (size_t i = 0; i < sizeof(domains) / sizeof(domains[0]); i++) {
        PyMemAllocatorEx allocator;
        PyMem_GetAllocator(domains[i], &allocator);
        allocator.free = keep;
        PyMem_SetAllocator(domains[i], &allocator);
    }
}

static void end_objects(PyObject *const *objects, size_t count, int is_finalizer)
{
    limit_copy();
    keep_memory();
    (void)PyGC_Disable();
    if (forbid_calls() < 0) {
        _exit(1);
    }
    for (size_t i = 0; i < count; i++) {
        PyObject *callback = PyWeakref_Check(objects[i]) ? ((PyWeakReference *)objects[i])->wr_callback : NULL;
        if (is_finalizer) {
            PyObject_CallFinalizer(objects[i]);
        }
        else if (callback != NULL && Py_REFCNT(objects[i]) > 0) {
            PyObject *done = PyObject_CallOneArg(callback, objects[i]);
            if (done == NULL) {
                PyErr_WriteUnraisable(callback);
            }
            Py_XDECREF(done);
        }
        else if (Py_REFCNT(objects[i]) > 0 && !FF_IS_IMMORTAL(objects[i])) {
            Py_SET_REFCNT(objects[i], 1);
            Py_DECREF(objects[i]);
        }
    }
    /* What they have printed would be written later. */
    for (int i = 0; i < 2; i++) {
        PyObject *stream = PySys_GetObject(i == 0 ? "stdout" : "stderr");
        if (stream != NULL && stream != Py_None && !ff_flush_stream(stream)) {
            _exit(1);
        }
    }
    _exit(fflush(NULL) == 0 ? 0 : 1);
}

static int is_only_thread(void)
{
    DIR *folder = opendir("/proc/self/task");
    int count = 0;
    while (folder != NULL && readdir(folder) != NULL) {
        count++;
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return count == 3; /* with the directory and the one above */
}

/* Whether a copy of this process would write to memory of others (proc(5), /proc/pid/maps). */
static int has_shared_memory(void)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512];
    int is_shared = maps == NULL;
    while (!is_shared && fgets(line, sizeof(line), maps) != NULL) {
        const char *rights = strchr(line, ' ');
        is_shared = rights != NULL && strlen(rights) > 4 && rights[2] == 'w' && rights[4] == 's';
    }
    if (maps != NULL) {
        fclose(maps);
    }
    return is_shared;
}

/* Whether the end of these objects does nothing but to give back memory: a copy of this process tries it. The program cannot see the copy, whose end sends no
 * signal. Locks that other threads hold would never be free in it. */
static int try(PyObject *const *objects, size_t count, int is_finalizer)
{
    if (!is_only_thread() || has_shared_memory()) {
        return 0;
    }
    long child = syscall(SYS_clone, 0, 0, 0, 0, 0);
    if (child == 0) {
        end_objects(objects, count, is_finalizer);
    }
    return is_copy_done(child);
}

int ff_try_ends(PyObject *const *objects, size_t count)
{
    return try(objects, count, 0);
}

/* The same of what their finalizers do. */
int ff_try_finalizers(PyObject *const *objects, size_t count)
{
    return try(objects, count, 1);
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
