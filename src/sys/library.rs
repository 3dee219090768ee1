//! The shared library this code was loaded from.

use std::ffi::c_void;

/// Keeps the library loaded until the process ends. Node unloads an addon with the last environment that used it; the
/// code of a thread that still runs, or of a destructor of thread-local data, must not vanish with it.
pub fn pin() {
    let mut info = libc::Dl_info {
        dli_fname: std::ptr::null(),
        dli_fbase: std::ptr::null_mut(),
        dli_sname: std::ptr::null(),
        dli_saddr: std::ptr::null_mut(),
    };
    let own = pin as *const c_void;
    // SAFETY: `own` is an address inside this library, and `info` is live for the call to fill.
    if unsafe { libc::dladdr(own, &raw mut info) } == 0 || info.dli_fname.is_null() {
        return;
    }
    let flags = libc::RTLD_NOW | libc::RTLD_NOLOAD | libc::RTLD_NODELETE;
    // SAFETY: the name is the loader's own, and RTLD_NOLOAD runs no code: it only marks what is loaded.
    unsafe { libc::dlopen(info.dli_fname, flags) };
}
