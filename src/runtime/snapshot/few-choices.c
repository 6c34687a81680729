/* Choices among few: random.choice(), say, of seven names. Two processes often draw the same one, so that chance would decide whether their memory differs.
 * While imports run, generators of `random` that the system has seeded draw from the seed of string hashes. The first choices that the body of a module makes are
 * the same in each dump, and a start has those of the build, as after a fork. Of what draws more, the second dump has the opposite. Generators stay as they were seeded,
 * and get other seeds at each start (prepare_dump.py). */
#include FF_LAYOUT

#include "restore.h"
#include "versions.h"

#define FEW ((uint64_t)1 << 16)
#define WORD 63      /* bits: below a number of so many, one is drawn at once */
#define LONGEST 4096 /* bits of a draw */
#define FRACTION 53  /* bits of random() (Modules/_randommodule.c, _random_Random_random_impl()) */
#define BODIES 4096  /* more than draw */
#define GENERATORS 256

enum { RANDOM, GETRANDBITS, SEED, SETSTATE, METHODS };
static const struct {
    const char *name;
    int flags;
} METHODS_OF_RANDOM[] = {{"random", METH_NOARGS}, {"getrandbits", METH_O}, {"seed", METH_FASTCALL}, {"setstate", METH_O}};

typedef struct {
    const PyCodeObject *code;
    uint64_t left; /* of FEW possibilities */
} body;

/* Of this process only: it is gone before the dump. */
static struct {
    uint64_t draws, is_opposite;
    PyMethodDef *methods[METHODS];
    PyCFunction usual[METHODS];
    int body_count, generator_count;
    body bodies[BODIES];
    struct {
        const PyObject *self;
        int is_of_system; /* its seed */
    } generators[GENERATORS];
} *watched;

enum { IN_EACH = 1, OF_DUMP }; /* kinds of words of the seed; the second dump has others */

static uint64_t next_word(uint64_t kind)
{
    return ff_word_of_seed(kind == OF_DUMP ? kind + watched->is_opposite : kind, watched->draws++);
}

/* The second dump has the opposite. */
static uint64_t next_opposite(void)
{
    return next_word(IN_EACH) >> 63 ^ watched->is_opposite;
}

/* That of the module whose body runs; NULL if there is none. */
static body *find_body(void)
{
    const PyThreadState *thread = FF_CURRENT_THREAD();
    for (FF_FRAME *frame = thread == NULL ? NULL : FF_FIRST_FRAME(thread); frame != NULL; frame = FF_FRAME_BEFORE(frame)) {
        const PyCodeObject *code = FF_CODE_OF_FRAME(frame);
        if (code == NULL || PyUnicode_CompareWithASCIIString(code->co_name, "<module>") != 0) {
            continue;
        }
        int i = 0;
        while (i < watched->body_count && watched->bodies[i].code != code) {
            i++;
        }
        if (i == watched->body_count && i < BODIES) {
            watched->bodies[watched->body_count].code = code;
            watched->bodies[watched->body_count++].left = FEW;
        }
        return i < BODIES ? &watched->bodies[i] : NULL;
    }
    return NULL;
}

static uint64_t draw_below(uint64_t count, uint64_t kind)
{
    return (uint64_t)((unsigned __int128)next_word(kind) * count >> 64);
}

/* One of so many. */
static uint64_t draw_few(body *of, uint64_t count)
{
    of->left /= count;
    return draw_below(count, IN_EACH);
}

static uint64_t draw_other(uint64_t count)
{
    uint64_t half = count / 2, is_upper = half == 0 ? 1 : next_opposite();
    return is_upper * half + draw_below(is_upper ? count - half : half, OF_DUMP);
}

static PyObject *draw_long(long bits)
{
    uint64_t words[LONGEST / 64];
    size_t count = (size_t)(bits + 63) / 64;
    for (size_t i = 0; i < count; i++) {
        words[i] = next_word(OF_DUMP);
    }
    words[count - 1] >>= (64 - bits % 64) % 64;
    return _PyLong_FromByteArray((unsigned char *)words, count * sizeof(*words), 1, 0);
}

/* Its place; GENERATORS if there are too many. */
static int find_generator(const PyObject *self)
{
    int i = 0;
    while (i < watched->generator_count && watched->generators[i].self != self) {
        i++;
    }
    return i;
}

static void note_generator(const PyObject *self, int is_of_system)
{
    int i = find_generator(self);
    if (i < GENERATORS) {
        watched->generators[i].self = self;
        watched->generators[i].is_of_system = is_of_system;
        watched->generator_count += i == watched->generator_count;
    }
}

/* `random` had made its own one before anything was watched. */
static int is_own_of_random(const PyObject *self)
{
    PyObject *random = PyDict_GetItemString(PyImport_GetModuleDict(), "random");
    PyObject *names = random == NULL || !PyModule_Check(random) ? NULL : PyModule_GetDict(random);
    return names != NULL && PyDict_GetItemString(names, "_inst") == self;
}

static int is_of_system(const PyObject *self)
{
    int i = find_generator(self);
    if (i == watched->generator_count) {
        note_generator(self, is_own_of_random(self));
    }
    return i < GENERATORS && watched->generators[i].is_of_system;
}

static PyObject *draw_random(PyObject *self, PyObject *unused)
{
    body *of = is_of_system(self) ? find_body() : NULL;
    if (of == NULL) {
        return watched->usual[RANDOM](self, unused);
    }
    int rest = FRACTION - 1;
    for (uint64_t few = of->left; few > 1; few /= 2) {
        rest--;
    }
    uint64_t first = draw_few(of, (uint64_t)1 << (FRACTION - 1 - rest)) << 1 | next_opposite();
    of->left = 0;
    return PyFloat_FromDouble((double)(first << rest | next_word(OF_DUMP) >> (64 - rest)) / (double)((uint64_t)1 << FRACTION));
}

/* Of how many numbers one is wanted. Who wants one below another draws again until it is (Lib/random.py, _randbelow_with_getrandbits()). */
static uint64_t count_numbers(long bits)
{
    FF_FRAME *frame = FF_FIRST_FRAME(FF_CURRENT_THREAD());
    const PyCodeObject *code = frame == NULL ? NULL : FF_CODE_OF_FRAME(frame);
    if (code != NULL && PyUnicode_CompareWithASCIIString(code->co_name, "_randbelow_with_getrandbits") == 0) {
        PyObject *limit = FF_LOCAL_OF_FRAME(frame, 1);
        unsigned long number = limit != NULL && PyLong_CheckExact(limit) ? PyLong_AsUnsignedLong(limit) : 0;
        PyErr_Clear();
        if (number >> (bits - 1) == 1) {
            return number;
        }
    }
    return (uint64_t)1 << bits;
}

static PyObject *draw_bits(PyObject *self, PyObject *size)
{
    long bits = PyLong_CheckExact(size) ? PyLong_AsLong(size) : 0;
    PyErr_Clear();
    body *of = bits > 0 && bits <= LONGEST && is_of_system(self) ? find_body() : NULL;
    if (of == NULL) {
        return watched->usual[GETRANDBITS](self, size);
    }
    if (bits > WORD) {
        return draw_long(bits);
    }
    uint64_t count = count_numbers(bits);
    return PyLong_FromUnsignedLong(count <= of->left ? draw_few(of, count) : draw_other(count));
}

static PyObject *seed(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    note_generator(self, (count == 0 || arguments[0] == Py_None) && !ff_is_for_example());
    return ((_PyCFunctionFast)(void (*)(void))watched->usual[SEED])(self, arguments, count);
}

/* It may be one that the program knows. */
static PyObject *set_state(PyObject *self, PyObject *state)
{
    note_generator(self, 0);
    return watched->usual[SETSTATE](self, state);
}

static int watch_methods(void *Py_UNUSED(argument))
{
    static const PyCFunction OWN[] = {draw_random, draw_bits, (PyCFunction)(void (*)(void))seed, set_state};
    PyObject *module = PyDict_GetItemString(PyImport_GetModuleDict(), "_random");
    PyObject *type = module == NULL || watched == NULL ? NULL : PyObject_GetAttrString(module, "Random");
    PyMethodDef *found[METHODS] = {NULL};
    for (int i = 0; i < METHODS && type != NULL && PyType_Check(type); i++) {
        PyObject *method = PyDict_GetItemString(((PyTypeObject *)type)->tp_dict, METHODS_OF_RANDOM[i].name);
        if (method != NULL && Py_IS_TYPE(method, &PyMethodDescr_Type)) {
            found[i] = ((PyMethodDescrObject *)method)->d_method;
        }
    }
    int is_known = 1;
    for (int i = 0; i < METHODS; i++) {
        is_known &= found[i] != NULL && found[i]->ml_flags == METHODS_OF_RANDOM[i].flags && found[i]->ml_meth != OWN[i];
    }
    for (int i = 0; i < METHODS && is_known; i++) {
        watched->methods[i] = found[i];
        watched->usual[i] = found[i]->ml_meth;
        found[i]->ml_meth = OWN[i];
    }
    Py_XDECREF(type);
    PyErr_Clear();
    return 0;
}

/* Before the imports. */
void ff_watch_choices(void)
{
    watched = (void *)ff_scratch(sizeof(*watched));
    watched->is_opposite = ff_request_value("opposite", NULL) != NULL; /* that of a second dump */
}

/* When the system gives random numbers, of which `random` makes its generator before it has drawn any. */
void ff_watch_draw(unsigned char *bytes, ssize_t size)
{
    if (watched == NULL || size <= 0) {
        return;
    }
    if (size == FF_SEED_OF_RANDOM && watched->methods[0] == NULL) {
        (void)Py_AddPendingCall(watch_methods, NULL);
    }
    if (size < FF_LEAST_DRAW) {
        bytes[0] = (unsigned char)((bytes[0] & 0x7f) | next_opposite() << 7);
    }
}

/* When they are done. */
void ff_forget_choices(void)
{
    for (int i = 0; i < METHODS && watched->methods[i] != NULL; i++) {
        watched->methods[i]->ml_meth = watched->usual[i];
    }
    watched = NULL;
}
