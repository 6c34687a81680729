/**
 * Those of CPython's C API among REGION_FUNCTIONS. Extension modules in shared libraries call them, too, and must get the same answers: the
 * linker sends only calls of the executable's own objects, so the exported names are redirected afterwards (exported-functions.ts).
 */
const PUBLIC_FUNCTIONS = [
  ...['PyThread_get_thread_ident', 'PyThread_get_thread_ident_ex'],
  ...['Py_BytesMain', 'Py_FinalizeEx', 'Py_Exit', 'PyGC_Collect'],
];

/**
 * The functions whose calls the linker sends to src/runtime/snapshot: libc's allocator, what knows
 * threads, the environment, libraries, callbacks and salts, and CPython's own beginning and end. Calls from shared
 * libraries are not affected, except of PUBLIC_FUNCTIONS.
 */
const REGION_FUNCTIONS = [
  ...['malloc', 'calloc', 'realloc', 'reallocarray', 'free', 'malloc_usable_size'],
  ...['posix_memalign', 'aligned_alloc', 'memalign', 'valloc'],
  ...['strdup', 'strndup', 'wcsdup'],
  ...['pthread_key_create', 'pthread_key_delete', 'pthread_kill', 'pthread_getcpuclockid'],
  ...['getenv', 'secure_getenv'],
  ...['dlopen', 'dlsym', 'dlclose', 'dlerror', 'ffi_closure_alloc', 'ffi_closure_free'],
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

/** How an executable is linked for a snapshot, and how an ordinary one is. */
export interface RegionLink {
  /** The functions whose calls the linker sends to the runtime. */
  readonly wrapped: readonly string[];
  /** Those of them that are so for shared libraries, too. */
  readonly redirected: readonly string[];
  /** Further flags of the linker. */
  readonly flags: readonly string[];
}

/** @param wrapped the functions that every executable with images sends to the runtime */
export function regionLink(wrapped: readonly string[], forSnapshot: boolean | undefined): RegionLink {
  return forSnapshot === true
    ? {wrapped: [...wrapped, ...REGION_FUNCTIONS], redirected: PUBLIC_FUNCTIONS, flags: REGION_FLAGS}
    : {wrapped, redirected: [], flags: []};
}

/** The dynamic linker finishes before the interpreter starts, so that what it fills in can be told from data. */
const REGION_FLAGS = ['-Wl,-z,now', '-Wl,-z,relro'];
