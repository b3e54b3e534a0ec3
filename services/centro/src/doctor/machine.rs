//! Clock, limits and the data folder.

use super::{Finding, Mark};
use crate::settings::Settings;
use std::{
    fs,
    path::Path,
    process::Command,
    time::{SystemTime, UNIX_EPOCH},
};

/// A call has two legs, each with a socket for sound, and may have a recording and a share of TCP connections.
const FILES_PER_CALL: u64 = 4;
/// Databases, HTTP connections and what the runtime needs.
const FILES_APART: u64 = 256;
/// 2026-01-01: a clock before it is wrong, and tokens and recordings would be too.
const EARLIEST: u64 = 1_767_225_600;

pub fn examine(settings: &Settings) -> Vec<Finding> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs());
    let calls = u64::try_from(settings.telephony.max_calls).unwrap_or(u64::MAX);
    vec![
        clock(now, synchronised()),
        open_files(file_limit(), calls),
        data(&settings.node.data),
    ]
}

/// What systemd says of the clock; `None` where it keeps none, as in most containers.
fn synchronised() -> Option<bool> {
    if Path::new("/run/systemd/timesync/synchronized").exists() {
        return Some(true);
    }
    let asked = Command::new("timedatectl")
        .args(["show", "--property=NTPSynchronized", "--value"])
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    match asked.stdout.trim_ascii() {
        b"yes" => Some(true),
        b"no" => Some(false),
        _ => None,
    }
}

fn clock(now: u64, synchronised: Option<bool>) -> Finding {
    let (mark, said) = match synchronised {
        _ if now < EARLIEST => (
            Mark::Bad,
            "the clock is years behind; set it, e.g. with timedatectl set-time",
        ),
        Some(true) => (Mark::Ok, "synchronised"),
        Some(false) => (
            Mark::Warn,
            "not synchronised, so reports and recordings get wrong times; start a time service, e.g. timedatectl set-ntp true",
        ),
        None => (
            Mark::Warn,
            "plausible, but nothing here tells whether it is synchronised; see to it on the host, e.g. with timedatectl",
        ),
    };
    Finding::new("clock", mark, said)
}

/// The limit of open files; `None` when there is none or it cannot be read.
fn file_limit() -> Option<u64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

fn open_files(limit: Option<u64>, max_calls: u64) -> Finding {
    let what = "open files";
    let Some(limit) = limit else {
        return Finding::new(what, Mark::Ok, "no limit");
    };
    let needed = max_calls
        .saturating_mul(FILES_PER_CALL)
        .saturating_add(FILES_APART);
    let carries = limit.saturating_sub(FILES_APART) / FILES_PER_CALL;
    if limit >= needed {
        let said = format!("{limit} at most, {needed} for {max_calls} calls");
        return Finding::new(what, Mark::Ok, said);
    }
    let mark = if carries == 0 { Mark::Bad } else { Mark::Warn };
    let said = format!(
        "{limit} at most carry about {carries} calls, telephony.max_calls is {max_calls}; raise it to {needed} with ulimit -n or LimitNOFILE="
    );
    Finding::new(what, mark, said)
}

/// Whether the folder, or the nearest one above it that is there, can be written. Nothing is left behind.
fn data(folder: &Path) -> Finding {
    let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let there = absolute
        .ancestors()
        .find(|above| above.exists())
        .unwrap_or(Path::new("/"));
    match tempfile::tempfile_in(there) {
        Ok(_) => Finding::new("data folder", Mark::Ok, folder.display().to_string()),
        Err(error) => Finding::new(
            "data folder",
            Mark::Bad,
            format!(
                "{}: {error}; name another with --data DIR",
                folder.display()
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_good_when_somebody_keeps_it() {
        assert_eq!(clock(EARLIEST, Some(true)).mark, Mark::Ok);
        assert_eq!(clock(EARLIEST, Some(false)).mark, Mark::Warn);
        assert_eq!(clock(EARLIEST, None).mark, Mark::Warn);
        assert_eq!(clock(EARLIEST - 1, Some(true)).mark, Mark::Bad);
    }

    #[test]
    fn the_limit_of_files_is_held_against_the_calls_that_are_promised() {
        assert_eq!(open_files(Some(1_000_000), 5_000).mark, Mark::Ok);
        let tight = open_files(Some(1024), 5_000);
        assert_eq!(tight.mark, Mark::Warn);
        assert!(
            tight.said.contains("192 calls") && tight.said.contains("20256"),
            "{tight:?}"
        );
        assert_eq!(open_files(Some(1024), 100).mark, Mark::Ok);
        assert_eq!(open_files(Some(64), 100).mark, Mark::Bad);
        assert_eq!(open_files(None, 100).mark, Mark::Ok);
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_bad_and_looking_leaves_nothing() {
        let parent = tempfile::tempdir().unwrap();
        let data = parent.path().join("a/b");
        assert_eq!(super::data(&data).mark, Mark::Ok);
        assert!(!parent.path().join("a").exists());
        assert_eq!(super::data(Path::new("/proc/centro")).mark, Mark::Bad);
    }
}
