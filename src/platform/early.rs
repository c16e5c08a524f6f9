//! Memory that is needed soon: the processor begins to load it while something else is done.

/// Begins to load all of it, so that it is near; nothing waits for it, and nothing is read.
#[cfg(target_arch = "x86_64")]
#[inline]
pub fn fetch_early<T>(soon: &T) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};

    /// Bytes that are loaded at once.
    const LINE: usize = 64;
    let start = std::ptr::from_ref(soon).cast::<i8>();
    // SAFETY: a prefetch is only a hint, which reads nothing and never faults; each x86_64 has it (SSE).
    let fetch = |offset: usize| unsafe { _mm_prefetch::<_MM_HINT_T0>(start.wrapping_add(offset)) };
    let mut offset = 0;
    while offset < size_of::<T>() {
        fetch(offset);
        offset += LINE;
    }
    // It need not begin where a line does: its last byte may lie on one more.
    fetch(size_of::<T>().saturating_sub(1));
}

/// Other processors load it when it is read.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
pub fn fetch_early<T>(_: &T) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_changed_whatever_its_size() {
        let (one, many) = (7_u8, [9_u64; 100]);
        fetch_early(&());
        fetch_early(&one);
        fetch_early(&many);
        assert_eq!((one, many), (7, [9; 100]));
    }
}
