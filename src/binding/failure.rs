//! An error as plain data.

use crate::error::Error;
use napi_derive::napi;

/// What went wrong: a `code` of this package, or the `errno` of a system call.
#[napi(object)]
pub struct Failure {
    /// One of the codes in `js/errors.js`; absent for a failed system call.
    pub code: Option<String>,
    /// A sentence for people.
    pub message: String,
    /// The positive errno of a failed system call.
    pub errno: Option<i32>,
    /// That call's name.
    pub syscall: Option<String>,
    /// The file it was about.
    pub path: Option<String>,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        let code = error.code().map(str::to_owned);
        match error {
            Error::Io { syscall, path, source } => {
                let errno = source.raw_os_error();
                // Not every io::Error comes from the system: one that does not has no errno to name it by.
                let code = if errno.is_none() { Some("ERR_INTERNAL".to_owned()) } else { None };
                let path = Some(path.to_string_lossy().into_owned());
                Self { code, message, errno, syscall: Some(syscall.to_owned()), path }
            }
            _ => Self { code, message, errno: None, syscall: None, path: None },
        }
    }
}
