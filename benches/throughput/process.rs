//! What Linux tells of a process.

use std::fs::read_to_string;
use std::path::Path;

/// User and system time of a process, in seconds.
pub fn cpu(pid: u32) -> f64 {
    times(pid).map_or(0.0, |[own, _]| own)
}

/// Of a process, its children, and all of them that have ended.
pub fn family_cpu(pid: u32) -> f64 {
    let task = format!("/proc/{pid}/task/{pid}/children");
    let children = read_to_string(task).unwrap_or_default();
    let children = children.split_whitespace().filter_map(|child| child.parse().ok()).map(cpu);
    times(pid).map_or(0.0, |[own, ended]| own + ended) + children.sum::<f64>()
}

/// Own time, and that of children that have ended.
fn times(pid: u32) -> Option<[f64; 2]> {
    let stat = read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in brackets, and may hold anything.
    let fields: Vec<_> = stat.rsplit(')').next()?.split_whitespace().skip(11).take(4).collect();
    let [user, system, ended_user, ended_system] = fields[..] else { return None };
    // Linux counts in hundredths of a second here, whatever its own tick is.
    let seconds = |text: &str| text.parse::<f64>().unwrap_or(0.0) / 100.0;
    Some([seconds(user) + seconds(system), seconds(ended_user) + seconds(ended_system)])
}

/// A line of `/proc/{pid}/status` that is a size, in MiB: `VmHWM` is the peak, `VmRSS` what it is now.
pub fn memory(pid: u32, name: &str) -> f64 {
    let status = read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or(0.0) / 1_024.0
}

pub fn parent(pid: u32) -> Option<u32> {
    let status = read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("PPid:")?.trim().parse().ok())
}

/// What the files of a folder are kept on: a fsync costs nothing on some.
pub fn file_system(folder: &Path) -> String {
    let mounts = read_to_string("/proc/mounts").unwrap_or_default();
    let mounts = mounts.lines().filter_map(|line| {
        let mut words = line.split_whitespace().skip(1);
        Some((words.next()?, words.next()?))
    });
    let found = mounts.filter(|(at, _)| folder.starts_with(at)).max_by_key(|(at, _)| at.len());
    found.map_or_else(|| "unknown".to_owned(), |(_, kind)| format!("{} on {kind}", folder.display()))
}
