/** A hundred of CPython's test files, for interpreters in which the whole suite cannot be run: those that look closest at
 * code objects, imports, strings, constants, tracing, threads and processes, and wide use of the library. */
export const HUNDRED: readonly string[] = `
  test_importlib test_import test_frozen test_code test_marshal test_set test_inspect test_runpy test_zipimport
  test_pkgutil test_site test_codecs test_re test_asyncio test_unittest test_capi test_gc test_sys test_traceback
  test_threading test_sys_settrace test_sys_setprofile test_monitoring test_tracemalloc test_weakref test_dis
  test_compile test_opcache test_peepholer test_exceptions test_builtin test_types test_descr test_generators
  test_coroutines test_asyncgen test_scope test_funcattrs test_functools test_dataclasses test_typing test_enum
  test_abc test_collections test_copy test_pickle test_copyreg test_json test_argparse test_subprocess test_signal
  test_os test_io test_pathlib test_shutil test_tempfile test_zipfile test_tarfile test_logging test_email
  test_httplib test_urllib test_urlparse test_csv test_configparser test_datetime test_random test_math test_long
  test_float test_bytes test_str test_string test_tuple test_dict test_slice test_hash test_contextlib test_warnings
  test_linecache test_doctest test_pdb test_bdb test_trace test_profile test_ast test_tokenize test_symtable
  test_modulefinder test_compileall test_py_compile test_venv test_cmd_line test_cmd_line_script test_atexit
  test_faulthandler test_interpreters test__interpreters test_concurrent_futures test_queue`
  .split(/\s+/)
  .filter((word) => word !== '');
