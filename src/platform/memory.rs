//! How much memory this process may use, and how much work of one kind that leaves room for.

use std::{fs, path::Path};

/// At most so much is done at once, however many cores there are.
const MOST: usize = 64;

/// In bytes: the least of what the machine has and what a control group (v2: the container, the unit) allows. None where nobody says.
pub fn limit() -> Option<u64> {
    limit_below(Path::new("/"))
}

/// As many as there are cores, and as half of the memory holds where each takes so many KiB; the other half is for everything else.
pub fn places(cores: usize, memory: Option<u64>, each_kib: u32) -> usize {
    let each = u64::from(each_kib.max(1)) * 1024;
    let fitting = memory.map_or(usize::MAX, |bytes| usize::try_from(bytes / 2 / each).unwrap_or(usize::MAX));
    cores.min(fitting).clamp(1, MOST)
}

fn limit_below(root: &Path) -> Option<u64> {
    let machine = fs::read_to_string(root.join("proc/meminfo")).ok().and_then(|text| total(&text));
    let groups = root.join("sys/fs/cgroup");
    let own = fs::read_to_string(root.join("proc/self/cgroup")).unwrap_or_default();
    let own = own.lines().find_map(|line| line.strip_prefix("0::/")).unwrap_or_default();
    // What a group allows holds for the groups in it.
    let allowed = groups.join(own).ancestors().take_while(|folder| folder.starts_with(&groups)).filter_map(allows).min();
    machine.into_iter().chain(allowed).min()
}

fn total(meminfo: &str) -> Option<u64> {
    let kib: u64 = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// None for `max`, and where there is no such file.
fn allows(group: &Path) -> Option<u64> {
    fs::read_to_string(group.join("memory.max")).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1024 * 1024;

    #[test]
    fn r12_as_many_hashes_at_once_as_cores_and_half_the_memory_have_room_for() {
        assert_eq!(places(2, Some(64 * 1024 * MIB), 65_536), 2, "cores are few");
        assert_eq!(places(16, Some(512 * MIB), 65_536), 4, "memory is little");
        assert_eq!(places(16, Some(512 * MIB), 262_144), 1);
        assert_eq!(places(16, Some(64 * MIB), 65_536), 1, "one always");
        assert_eq!((places(16, None, 65_536), places(500, None, 65_536)), (16, MOST));
    }

    #[test]
    fn the_least_of_machine_and_groups_holds() {
        let root = std::env::temp_dir().join(format!("tollgate-memory-{}", std::process::id()));
        let write = |path: &str, text: &str| {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        assert_eq!(limit_below(&root), None, "nobody says");
        write("proc/meminfo", "MemTotal:        8388608 kB\nMemFree:          1024 kB\n");
        assert_eq!(limit_below(&root), Some(8192 * MIB));
        write("sys/fs/cgroup/memory.max", "1073741824\n");
        assert_eq!(limit_below(&root), Some(1024 * MIB), "a container sees its own group as the root");
        write("proc/self/cgroup", "0::/pod/tollgate\n");
        write("sys/fs/cgroup/pod/tollgate/memory.max", "max\n");
        write("sys/fs/cgroup/pod/memory.max", "536870912\n");
        assert_eq!(limit_below(&root), Some(512 * MIB), "one that stands around it");
        write("sys/fs/cgroup/pod/tollgate/memory.max", "17179869184\n");
        assert_eq!(limit_below(&root), Some(512 * MIB));
        fs::remove_dir_all(&root).unwrap();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_machine_says_it() {
        assert!(limit().is_some_and(|bytes| bytes > MIB));
    }
}
