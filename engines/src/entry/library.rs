//! ClickHouse inside this process.

#![expect(unsafe_code, reason = "calls the C functions of libchdb.so, which have no safe binding")]

use std::{
    ffi::{CStr, CString, c_char, c_int, c_void},
    path::Path,
    ptr,
};

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW, Symbol};

use super::EntryError;

type QueryCmdline = unsafe extern "C" fn(c_int, *mut *mut c_char) -> *mut c_void;
type ResultError = unsafe extern "C" fn(*mut c_void) -> *const c_char;

/// Runs the genuine clickhouse-local with `args` until its query ends.
///
/// One engine lifetime per process: a second call would return at once.
pub(crate) fn serve(path: &Path, args: &[String]) -> Result<(), EntryError> {
    let load = |source| EntryError::Library { library: path.to_owned(), source };
    let words: Vec<CString> = ["clickhouse"]
        .into_iter()
        .chain(args.iter().map(String::as_str))
        .map(CString::new)
        .collect::<Result<_, _>>()
        .map_err(|error| EntryError::ClickHouse(error.to_string()))?;
    // As main() gets it: writable strings, closed by a null pointer.
    let mut pointers: Vec<*mut c_char> = words.into_iter().map(CString::into_raw).collect();
    let count = c_int::try_from(pointers.len())
        .map_err(|error| EntryError::ClickHouse(error.to_string()))?;
    pointers.push(ptr::null_mut());

    // SAFETY: the library is the one whose checksum the fetch script verified; its
    // initialisers run here, once, before any of its functions.
    let library = unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) }.map_err(load)?;
    // SAFETY: the types are those of chdb.h of the pinned version.
    let (query_cmdline, result_error): (Symbol<QueryCmdline>, Symbol<ResultError>) = unsafe {
        (
            library.get(b"chdb_query_cmdline\0").map_err(load)?,
            library.get(b"chdb_result_error\0").map_err(load)?,
        )
    };

    // SAFETY: `pointers` holds `count` valid strings and a closing null pointer, all of
    // which live until the process ends, as the strings were leaked above.
    let result = unsafe { query_cmdline(count, pointers.as_mut_ptr()) };
    let error = if result.is_null() {
        Some("no result".to_owned())
    } else {
        // SAFETY: `result` came from this library just now and is not freed.
        let message = unsafe { result_error(result) };
        // SAFETY: a message that is not null is a string owned by `result`.
        (!message.is_null()).then(|| unsafe { CStr::from_ptr(message) }.to_string_lossy().into())
    };
    // Threads of the engine may still be running its code.
    std::mem::forget(library);
    match error {
        Some(message) => Err(EntryError::ClickHouse(message)),
        None => Ok(()),
    }
}
