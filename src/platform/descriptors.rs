//! How many files and sockets this process may have open (`ulimit -n`).

/// Has the system allow so many, as far as it lets a process ask for more; answers how many it allows then, at most as many as a number
/// holds. None where it does not say.
pub fn at_most(wanted: usize) -> Option<usize> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the call writes the structure that it is given, which lives as long.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } != 0 {
        return None;
    }
    let wanted = libc::rlim_t::try_from(wanted).unwrap_or(libc::rlim_t::MAX).min(limit.rlim_max);
    if limit.rlim_cur < wanted {
        let more = libc::rlimit { rlim_cur: wanted, rlim_max: limit.rlim_max };
        // SAFETY: the call reads the structure that it is given.
        if unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const more) } == 0 {
            limit.rlim_cur = wanted;
        }
    }
    Some(usize::try_from(limit.rlim_cur).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_never_lowered() {
        let now = at_most(0).expect("the system says it");
        assert!(now > 0);
        assert_eq!(at_most(1), Some(now));
        assert!(at_most(now) == Some(now));
    }
}
