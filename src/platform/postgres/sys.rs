//! The few calls to the operating system that processes need and std lacks.

use std::{ffi::c_int, io, os::unix::process::CommandExt, process::Command};

pub(super) use libc::{SIGINT, SIGKILL, SIGQUIT};

/// True if we are root.
pub(super) fn is_root() -> bool {
    // SAFETY: takes nothing and cannot fail.
    unsafe { libc::geteuid() == 0 }
}

/// Sends a signal. A process that is gone is no error.
pub(super) fn signal(pid: u32, signal: c_int) {
    if let Some(pid) = as_pid(pid) {
        // SAFETY: plain integers; the kernel checks them.
        unsafe { libc::kill(pid, signal) };
    }
}

/// True if a process of this id exists, whoever owns it.
pub(super) fn is_alive(pid: u32) -> bool {
    // SAFETY: signal 0 only asks.
    as_pid(pid).is_some_and(|pid| unsafe { libc::kill(pid, 0) } == 0 || io::Error::last_os_error().raw_os_error() == Some(libc::EPERM))
}

/// 0 and below would mean whole groups of processes.
fn as_pid(pid: u32) -> Option<libc::pid_t> {
    libc::pid_t::try_from(pid).ok().filter(|pid| *pid > 0)
}

/// Waits for a child to end and leaves it to be reaped, so that its id can't have become another process's meanwhile.
pub(super) fn wait_for_end(pid: u32) {
    loop {
        // SAFETY: a zeroed siginfo_t is valid, and it outlives the call.
        let ended = unsafe {
            let mut info: libc::siginfo_t = std::mem::zeroed();
            libc::waitid(libc::P_PID, pid, &raw mut info, libc::WEXITED | libc::WNOWAIT)
        };
        if ended == 0 || io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            return;
        }
    }
}

/// Lets the child, and what it starts, stand back where they share cores with us: the gate answers first.
pub(super) fn stand_back(command: &mut Command) {
    let step_back = || {
        crate::platform::aside::step_back();
        Ok(())
    };
    // SAFETY: the closure allocates nothing and takes no lock.
    unsafe { command.pre_exec(step_back) };
}

/// Lets the kernel signal the child when the *thread* that starts it ends, be it by `kill -9` of the process. So that thread must
/// wait for the child. Only Linux has it; elsewhere the next start stops what is left.
pub(super) fn end_with_this_thread(command: &mut Command, signal: c_int) {
    #[cfg(target_os = "linux")]
    {
        let parent = std::process::id();
        let tie = move || {
            // SAFETY: these calls are allowed between fork and exec.
            unsafe {
                // A shell lets its background jobs ignore SIGINT, and programs inherit that: the signal would be lost on a
                // program that has not set its own handler yet.
                libc::signal(signal, libc::SIG_DFL);
                if libc::prctl(libc::PR_SET_PDEATHSIG, signal) != 0 {
                    return Err(io::Error::last_os_error());
                }
                // The parent may have gone before the call.
                if u32::try_from(libc::getppid()).ok() != Some(parent) {
                    return Err(io::Error::from_raw_os_error(libc::ESRCH));
                }
            }
            Ok(())
        };
        // SAFETY: the closure allocates nothing and takes no lock.
        unsafe { command.pre_exec(tie) };
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (command, signal);
}
