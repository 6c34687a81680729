/**
 * Those of CPython's C API among REGION_FUNCTIONS. Extension modules in shared libraries call them, too, and must get the same answers: the
 * linker sends only calls of the executable's own objects, so the exported names are redirected afterwards (exported-functions.ts).
 */
const PUBLIC_FUNCTIONS = [
  ...['PyThread_get_thread_ident', 'PyThread_get_thread_ident_ex'],
  ...['Py_BytesMain', 'Py_FinalizeEx', 'Py_Exit', 'PyGC_Collect'],
];

/** Functions of libraries whose calls the linker sends to src/runtime/snapshot: libc's allocator, and what knows threads, the environment and libraries. */
const LIBRARY_FUNCTIONS = [
  ...['malloc', 'calloc', 'realloc', 'reallocarray', 'free', 'malloc_usable_size'],
  ...['posix_memalign', 'aligned_alloc', 'memalign', 'valloc'],
  ...['strdup', 'strndup', 'wcsdup'],
  ...['pthread_key_create', 'pthread_key_delete', 'pthread_kill', 'pthread_getcpuclockid'],
  ...['getenv', 'secure_getenv', 'getrandom'],
  ...['dlopen', 'dlsym', 'dlclose', 'dlerror', 'ffi_closure_alloc', 'ffi_closure_free'],
  ...[
    'EVP_RAND_CTX_new',
    'EVP_RAND_CTX_free',
    'isatty',
    'openssl_get_fork_id',
    'RAND_bytes_ex',
    'RAND_priv_bytes_ex',
  ],
  'time',
];

/**
 * All functions whose calls the linker sends there: these, CPython's own beginning and end, and its salts. Calls from shared
 * libraries are not affected, except of PUBLIC_FUNCTIONS.
 */
const REGION_FUNCTIONS = [
  ...LIBRARY_FUNCTIONS,
  ...['PyExpat_XML_SetHashSalt', 'XML_SetHashSalt16Bytes'],
  ...['_Py_GetAllocatedBlocks', '_PyUnicode_InitGlobalObjects'],
  ...PUBLIC_FUNCTIONS,
];

/**
 * The same for an executable that is linked as one object (src/hosts/transplant): its own calls of its own functions cannot be sent, so these are replaced
 * where they begin. Only its main program is ours.
 */
export const SENT_FUNCTIONS: readonly string[] = [...LIBRARY_FUNCTIONS, 'Py_BytesMain'];
export const ENTRY_FUNCTIONS: readonly string[] = REGION_FUNCTIONS.filter(
  (name) => !SENT_FUNCTIONS.includes(name) && !name.startsWith('PyThread_get_thread_ident'),
);

/** Compilers put PyThread_get_thread_ident() into its callers: there it is what that calls. */
export const RENAMED_FUNCTIONS: ReadonlyMap<string, string> = new Map([
  ['pthread_self', 'ff_thread_identity'],
]);

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
export const REGION_FLAGS = ['-Wl,-z,now', '-Wl,-z,relro'];
