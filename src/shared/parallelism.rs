//! How many processors this process may really use: affinity and the CPU quota of its cgroups.
//!
//! `std::thread::available_parallelism` looks at the same two, but rounds a quota down. A worker runs JavaScript on one
//! thread, so with a quota of 1.5 processors one worker leaves a third of what was paid for out of reach; rounded up,
//! two workers can use all of it, and the kernel's throttling holds them to it. Java and Go round up, too.
//!
//! The files are read below a root folder, so that tests can lay out a machine of their own.

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Component, Path, PathBuf};

/// Affinity, capped by the CPU quota of this process's cgroup and of all above it; at least 1.
pub fn available_parallelism() -> usize {
    capped(affinity(), quota(Path::new("/")))
}

/// The smaller of the two, at least 1.
fn capped(processors: usize, quota: Option<usize>) -> usize {
    processors.min(quota.unwrap_or(usize::MAX)).max(1)
}

#[cfg(target_os = "linux")]
fn affinity() -> usize {
    crate::sys::affinity::processors().unwrap_or_else(|_| counted_by_std())
}

#[cfg(not(target_os = "linux"))]
fn affinity() -> usize {
    counted_by_std()
}

fn counted_by_std() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// The lowest CPU quota over all cgroups this process is in, v1 and v2, in processors rounded up.
///
/// `root` is where `proc` and the mount points are looked for. Whatever cannot be read or understood sets no limit.
pub fn quota(root: &Path) -> Option<usize> {
    let memberships = fs::read_to_string(root.join("proc/self/cgroup")).ok()?;
    let mounts = fs::read_to_string(root.join("proc/self/mountinfo")).ok()?;
    let mounts: Vec<Mount> = mounts.lines().filter_map(parse_mount).collect();
    memberships.lines().filter_map(parse_membership).filter_map(|membership| limit_of(root, &membership, &mounts)).min()
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Version {
    V1,
    V2,
}

/// A line of `/proc/self/cgroup` that is about the CPU: its version and the path inside that hierarchy.
#[derive(Debug, PartialEq)]
struct Membership<'a> {
    version: Version,
    path: &'a str,
}

/// A mounted hierarchy that may hold CPU quotas: `root` is the cgroup that its mount point shows.
#[derive(Debug, PartialEq)]
struct Mount {
    version: Version,
    root: PathBuf,
    point: PathBuf,
}

/// `0::/user.slice` is v2, `4:cpu,cpuacct:/docker/1f` is v1 with the controllers it has.
fn parse_membership(line: &str) -> Option<Membership<'_>> {
    let (id, rest) = line.split_once(':')?;
    let (controllers, path) = rest.split_once(':')?;
    let version = if id == "0" && controllers.is_empty() {
        Version::V2
    } else if controllers.split(',').any(|controller| controller == "cpu") {
        Version::V1
    } else {
        return None;
    };
    Some(Membership { version, path })
}

/// `36 35 0:30 <root> <point> rw,noexec [tags] - cgroup cgroup rw,cpu,cpuacct`, as proc(5) describes it.
fn parse_mount(line: &str) -> Option<Mount> {
    let (left, right) = line.split_once(" - ")?;
    let mut left = left.split(' ').skip(3);
    let (root, point) = (unescape(left.next()?), unescape(left.next()?));
    let mut right = right.split(' ');
    let version = match right.next()? {
        "cgroup2" => Version::V2,
        "cgroup" if right.nth(1)?.split(',').any(|option| option == "cpu") => Version::V1,
        _ => return None,
    };
    Some(Mount { version, root, point })
}

/// The kernel writes space, tab, newline and backslash in a path as three octal digits.
fn unescape(text: &str) -> PathBuf {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let code = rest.get(at + 1..at + 4).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match code.filter(u8::is_ascii) {
            Some(code) => {
                out.push(code as char);
                rest = &rest[at + 4..];
            }
            None => {
                out.push('\\');
                rest = &rest[at + 1..];
            }
        }
    }
    out.push_str(rest);
    out.into()
}

/// The lowest quota from this process's cgroup up to the mount's root.
fn limit_of(root: &Path, membership: &Membership<'_>, mounts: &[Mount]) -> Option<usize> {
    let mount = mounts.iter().rev().find(|mount| mount.version == membership.version)?;
    let mut here = inside(membership.path, &mount.root);
    let mut lowest = None;
    loop {
        let folder = root.join(mount.point.strip_prefix("/").unwrap_or(&mount.point)).join(&here);
        let limit = match mount.version {
            Version::V1 => read_v1(&folder),
            Version::V2 => read_v2(&folder),
        };
        lowest = lowest.into_iter().chain(limit).min();
        if !here.pop() {
            return lowest;
        }
    }
}

/// Where a cgroup lies below the mount point. Outside of what is mounted (a container that shows only part of the
/// tree, a path with `..`) the mount point itself is the best there is.
fn inside(path: &str, mount_root: &Path) -> PathBuf {
    let relative = Path::new(path).strip_prefix(mount_root).unwrap_or(Path::new(""));
    if relative.components().all(|part| matches!(part, Component::Normal(_))) {
        relative.to_owned()
    } else {
        PathBuf::new()
    }
}

/// `cpu.max` holds `max 100000` or `150000 100000`: quota and period in microseconds.
fn read_v2(folder: &Path) -> Option<usize> {
    let text = fs::read_to_string(folder.join("cpu.max")).ok()?;
    let mut words = text.split_whitespace();
    processors(words.next()?, words.next()?)
}

/// A quota of -1 is none.
fn read_v1(folder: &Path) -> Option<usize> {
    let quota = fs::read_to_string(folder.join("cpu.cfs_quota_us")).ok()?;
    let period = fs::read_to_string(folder.join("cpu.cfs_period_us")).ok()?;
    processors(quota.trim(), period.trim())
}

fn processors(quota: &str, period: &str) -> Option<usize> {
    // Both -1 and "max" are no usize: no limit.
    let (quota, period) = (quota.parse::<usize>().ok()?, period.parse::<usize>().ok()?);
    (period > 0).then(|| quota.div_ceil(period).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    const V1: &str = "30 24 0:26 / /sys/fs/cgroup/cpu rw,nosuid - cgroup cgroup rw,cpu,cpuacct\n";
    const V2: &str = "29 23 0:25 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";

    fn machine(cgroup: &str, mounts: &str, files: &[(&str, &str)]) -> TempDir {
        let root = TempDir::new().unwrap();
        let all = [("proc/self/cgroup", cgroup), ("proc/self/mountinfo", mounts)];
        for (path, text) in all.iter().chain(files) {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    fn limit(cgroup: &str, mounts: &str, files: &[(&str, &str)]) -> Option<usize> {
        quota(machine(cgroup, mounts, files).path())
    }

    #[test]
    fn v2_reads_cpu_max() {
        assert_eq!(limit("0::/app\n", V2, &[("sys/fs/cgroup/app/cpu.max", "400000 100000\n")]), Some(4));
        assert_eq!(limit("0::/app\n", V2, &[("sys/fs/cgroup/app/cpu.max", "max 100000\n")]), None);
    }

    #[test]
    fn a_fraction_rounds_up_and_never_to_zero() {
        for (text, expected) in [("150000 100000", 2), ("100000 100000", 1), ("1000 100000", 1), ("0 100000", 1)] {
            assert_eq!(limit("0::/\n", V2, &[("sys/fs/cgroup/cpu.max", text)]), Some(expected), "{text}");
        }
    }

    #[test]
    fn the_lowest_of_all_ancestors_counts() {
        let files = [
            ("sys/fs/cgroup/a/cpu.max", "200000 100000"),
            ("sys/fs/cgroup/a/b/cpu.max", "800000 100000"),
            ("sys/fs/cgroup/a/b/c/cpu.max", "max 100000"),
        ];
        assert_eq!(limit("0::/a/b/c\n", V2, &files), Some(2));
    }

    #[test]
    fn v1_reads_quota_and_period() {
        let quota = |value| {
            let files =
                [("sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", value), ("sys/fs/cgroup/cpu/x/cpu.cfs_period_us", "50000\n")];
            limit("4:memory:/\n3:cpu,cpuacct:/x\n", V1, &files)
        };
        assert_eq!(quota("150000\n"), Some(3));
        assert_eq!(quota("-1\n"), None);
    }

    #[test]
    fn a_hybrid_machine_takes_the_lower_of_both() {
        let files = [
            ("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "300000"),
            ("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000"),
            ("sys/fs/cgroup/unified/cpu.max", "200000 100000"),
        ];
        let mounts = format!("{V1}31 24 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
        assert_eq!(limit("1:cpu:/\n0::/\n", &mounts, &files), Some(2));
    }

    #[test]
    fn a_container_sees_its_own_cgroup_at_the_mount_point() {
        let mounts = "40 39 0:30 /docker/1f /sys/fs/cgroup/cpu ro master:11 - cgroup cgroup rw,cpu\n";
        let files =
            [("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "200000"), ("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000")];
        for path in ["/docker/1f", "/docker/1f/..", "/elsewhere", "/../outside"] {
            assert_eq!(limit(&format!("2:cpu:{path}\n"), mounts, &files), Some(2), "{path}");
        }
    }

    #[test]
    fn escaped_mount_points_are_found() {
        let mounts = "40 39 0:30 / /mnt/my\\040cgroups rw - cgroup2 none rw\n";
        assert_eq!(limit("0::/\n", mounts, &[("mnt/my cgroups/cpu.max", "100000 100000")]), Some(1));
        assert_eq!(unescape("a\\134b\\"), Path::new("a\\b\\"));
    }

    #[test]
    fn garbage_sets_no_limit() {
        for (cgroup, mounts, max) in [
            ("", "", ""),
            ("0::/\n", "", "1 1"),
            ("no colons", V2, "1 1"),
            ("0::/\n", "no dash", "1 1"),
            ("0::/\n", V2, ""),
            ("0::/\n", V2, "100000"),
            ("0::/\n", V2, "-5 100000"),
            ("0::/\n", V2, "100000 0"),
            ("0::/\n", V2, "99999999999999999999999 1"),
        ] {
            assert_eq!(limit(cgroup, mounts, &[("sys/fs/cgroup/cpu.max", max)]), None, "{cgroup:?} {mounts:?} {max:?}");
        }
        assert_eq!(quota(Path::new("/nowhere")), None);
    }

    #[test]
    fn at_least_one_and_at_most_the_affinity() {
        assert_eq!(capped(8, Some(3)), 3);
        assert_eq!(capped(2, Some(64)), 2);
        assert_eq!(capped(2, None), 2);
        assert_eq!(capped(0, None), 1);
        assert!(available_parallelism() >= 1);
    }
}
