//! A growing file in memory that outlives the process: what stands in it is in the kernel's hands at once, so an end by `kill -9`
//! takes nothing away. (The kernel writes it to disk within seconds; what a power cut takes is what it had not written.)
//!
//! Room is reserved before it is touched: a full disk is an error here, not a signal later.

use super::early::fetch_early;
use memmap2::MmapMut;
use std::{
    fs::{File, OpenOptions},
    io,
    os::{fd::AsRawFd, unix::fs::OpenOptionsExt},
    path::Path,
    sync::atomic::{Ordering, compiler_fence},
};

const MAGIC: [u8; 8] = *b"tollgat1";
/// The magic, then the number of bytes that follow.
const HEAD: usize = 16;
const FIRST: usize = 64 * 1024;

/// Bytes that only grow, and numbers among them that may change.
#[derive(Debug)]
pub struct MappedFile {
    file: File,
    map: MmapMut,
    used: usize,
}

impl MappedFile {
    /// A new file, for its owner only.
    pub fn create(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)?;
        let map = map(&file, FIRST)?;
        let mut new = Self { file, map, used: HEAD };
        new.map[..8].copy_from_slice(&MAGIC);
        Ok(new)
    }

    /// Adds bytes and says where they stand. A multiple of 8, so that numbers among them stay aligned.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        debug_assert!(bytes.len().is_multiple_of(8));
        let (at, end) = (self.used, self.used + bytes.len());
        if end > self.map.len() {
            self.map = map(&self.file, end.max(self.map.len() * 2))?;
        }
        self.map[at..end].copy_from_slice(bytes);
        // The bytes stand before the length says so: whoever reads after an end in between sees all of them or none.
        compiler_fence(Ordering::Release);
        self.used = end;
        self.store(8, (end - HEAD) as u64);
        Ok(at)
    }

    /// Replaces a number that stands at a place that [`append`](Self::append) told, plus a multiple of 8.
    pub fn store(&mut self, at: usize, number: u64) {
        if let Some(place) = self.map.get_mut(at..at + 8) {
            place.copy_from_slice(&number.to_le_bytes());
        }
    }

    /// These bytes will be written soon.
    pub fn expect<const LENGTH: usize>(&self, at: usize) {
        if let Some(bytes) = self.map.get(at..).and_then(<[u8]>::first_chunk::<LENGTH>) {
            fetch_early(bytes);
        }
    }
}

/// What was appended to a file, after its process ended.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = std::fs::read(path)?;
    let length = bytes.get(8..HEAD).and_then(|l| l.try_into().ok()).map_or(0, u64::from_le_bytes);
    let end = usize::try_from(length).ok().and_then(|length| length.checked_add(HEAD)).filter(|end| *end <= bytes.len());
    match end {
        Some(end) if bytes[..8] == MAGIC => {
            bytes.truncate(end);
            bytes.drain(..HEAD);
            Ok(bytes)
        }
        // The process ended while it made the file: nothing was appended yet.
        _ if bytes.iter().all(|b| *b == 0) => Ok(Vec::new()),
        _ => Err(io::Error::new(io::ErrorKind::InvalidData, "this is not a file of ours, or it is cut short")),
    }
}

fn map(file: &File, len: usize) -> io::Result<MmapMut> {
    let length = libc::off_t::try_from(len).map_err(io::Error::other)?;
    // SAFETY: the descriptor is open, and the call touches no memory of ours.
    let failed = unsafe { libc::posix_fallocate(file.as_raw_fd(), 0, length) };
    if failed != 0 {
        return Err(io::Error::from_raw_os_error(failed));
    }
    // SAFETY: the file is new and private to this process (create_new, mode 0600), and nobody shortens it while it is mapped.
    unsafe { MmapMut::map_mut(file) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_appended_and_stored_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        let mut file = MappedFile::create(&path).unwrap();
        assert!(read(&path).unwrap().is_empty());
        let at = file.append(&[1; 16]).unwrap();
        for _ in 0..10_000 {
            file.append(&[2; 24]).unwrap();
        }
        for place in [at, file.map.len() - 72, file.map.len() - 71, file.map.len(), usize::MAX] {
            file.expect::<72>(place);
        }
        file.store(at + 8, 0x0102_0304);
        let bytes = read(&path).unwrap(); // as another process would, with the map still open
        assert_eq!(bytes.len(), 16 + 240_000);
        assert_eq!(bytes[8..16], 0x0102_0304_u64.to_le_bytes());
        assert!(bytes[16..].iter().all(|b| *b == 2));
        assert!(MappedFile::create(&path).is_err(), "never over another's file");
    }

    #[test]
    fn a_damaged_file_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        for bytes in [&b"something else entirely"[..], &b"tollgat1\xff\xff\xff\xff\0\0\0\0"[..], &b"toll"[..]] {
            std::fs::write(&path, bytes).unwrap();
            assert!(read(&path).is_err());
        }
        std::fs::write(&path, [0; 4096]).unwrap();
        assert!(read(&path).unwrap().is_empty());
    }
}
