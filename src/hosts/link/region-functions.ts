/**
 * Those of CPython's C API among REGION_FUNCTIONS. Extension modules in shared libraries call them, too, and must get the same answers: the
 * linker sends only calls of the executable's own objects, so the exported names are redirected afterwards (exported-functions.ts).
 */
export const PUBLIC_FUNCTIONS = [
  ...['PyThread_get_thread_ident', 'PyThread_get_thread_ident_ex'],
  ...['Py_BytesMain', 'Py_FinalizeEx', 'Py_Exit', 'PyGC_Collect'],
];

/**
 * The functions whose calls the linker sends to src/runtime/snapshot: libc's allocator, what knows
 * threads, the environment, libraries, callbacks and salts, what constructors do, and CPython's own beginning and end. Calls from shared
 * libraries are not affected, except of PUBLIC_FUNCTIONS.
 */
export const REGION_FUNCTIONS = [
  ...['malloc', 'calloc', 'realloc', 'reallocarray', 'free', 'malloc_usable_size'],
  ...['posix_memalign', 'aligned_alloc', 'memalign', 'valloc'],
  ...['strdup', 'strndup', 'wcsdup'],
  ...['pthread_key_create', 'pthread_key_delete', 'pthread_kill', 'pthread_getcpuclockid'],
  ...['getenv', 'secure_getenv', 'OPENSSL_cpuid_setup', 'ff_register_with_interpreter'],
  ...['dlopen', 'dlsym', 'dlclose', 'ffi_closure_alloc', 'ffi_closure_free'],
  ...[
    'EVP_RAND_CTX_new',
    'EVP_RAND_CTX_free',
    'isatty',
    'openssl_get_fork_id',
    'RAND_bytes_ex',
    'RAND_priv_bytes_ex',
    'time',
  ],
  ...['PyExpat_XML_SetHashSalt', 'XML_SetHashSalt16Bytes'],
  ...['_Py_GetAllocatedBlocks', '_PyUnicode_InitGlobalObjects'],
  ...PUBLIC_FUNCTIONS,
];

/**
 * The dynamic linker finishes before the interpreter starts, so that what it fills in can be told from data. libffi's callbacks are linked
 * if there is libffi: foreign-calls.c refers to them weakly. What static archives define (OpenSSL, libffi, expat) is not exported: a
 * shared library that is linked with a library of its own must not call ours instead.
 */
export const REGION_FLAGS = [
  ...['-Wl,-z,now', '-Wl,-z,relro', '-Wl,-u,ffi_closure_alloc'],
  '-Wl,--exclude-libs,ALL',
];
