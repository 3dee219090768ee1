//! Child processes of tests: copies of this one that run a closure, are stepped one instruction at a time, and are killed.

use std::io;

/// A copy of this process. Killed and waited for when dropped.
pub struct Child {
    pid: libc::pid_t,
}

/// What a traced child has come to.
#[derive(Debug, PartialEq, Eq)]
pub enum Stop {
    /// It has executed one instruction.
    Stepped,
    /// It has stopped itself by [`stop_here`].
    Here,
    /// It has ended.
    Ended,
}

impl Child {
    /// Forks. The child runs `body` and exits, with 0 unless that panics. Only the calling thread lives on in it.
    pub fn run(body: impl FnOnce()) -> Self {
        // SAFETY: the child has only this thread; the C library makes its allocator usable there, and tests print nothing
        // in it and take no lock that another thread may have held.
        let pid = unsafe { libc::fork() };
        assert!(pid >= 0, "fork: {}", io::Error::last_os_error());
        if pid > 0 {
            return Self { pid };
        }
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body));
        // SAFETY: ends this process without running what belongs to the parent.
        unsafe { libc::_exit(i32::from(result.is_err())) };
    }

    /// Executes one instruction of a child that has called [`stop_here`].
    pub fn step(&self) -> Stop {
        let nothing = std::ptr::null_mut::<libc::c_void>();
        // SAFETY: a request about our own child, which is stopped; the two pointers are not used.
        unsafe { libc::ptrace(libc::PTRACE_SINGLESTEP, self.pid, nothing, nothing) };
        self.wait()
    }

    /// Waits until it stops or ends.
    pub fn wait(&self) -> Stop {
        let mut status = 0;
        // SAFETY: waits for our own child; `status` is live.
        unsafe { libc::waitpid(self.pid, &raw mut status, 0) };
        match libc::WIFSTOPPED(status).then(|| libc::WSTOPSIG(status)) {
            Some(libc::SIGTRAP) => Stop::Stepped,
            Some(_) => Stop::Here,
            None => Stop::Ended,
        }
    }

    /// Ends it now, wherever it is.
    pub fn kill(self) {}
}

impl Drop for Child {
    fn drop(&mut self) {
        // SAFETY: our own child, which nobody else has waited for.
        unsafe { libc::kill(self.pid, libc::SIGKILL) };
        // SAFETY: as above; the status is not wanted.
        unsafe { libc::waitpid(self.pid, std::ptr::null_mut(), 0) };
    }
}

/// In a child: lets the parent trace it from here on. False where that is not permitted.
pub fn allow_tracing() -> bool {
    let nothing = std::ptr::null_mut::<libc::c_void>();
    // SAFETY: a request about this process; the pointers are not used.
    unsafe { libc::ptrace(libc::PTRACE_TRACEME, 0, nothing, nothing) == 0 }
}

/// In a traced child: stops until the parent lets it go on.
pub fn stop_here() {
    // SAFETY: takes a plain integer.
    unsafe { libc::raise(libc::SIGSTOP) };
}
