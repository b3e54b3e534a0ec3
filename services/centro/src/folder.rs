//! The data folder: one process at a time, and for its owner's eyes only. It holds the signing secret, password hashes and
//! recordings, so no other person of the machine may read it.

use anyhow::{Context, Result, anyhow, bail};
use std::{
    fs::{self, DirBuilder, File, Permissions, TryLockError},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::Path,
};

const OWNER_ONLY_FOLDER: u32 = 0o700;
const OWNER_ONLY_FILE: u32 = 0o600;
/// Bits of the owner.
const OWNER: u32 = 0o700;
/// Bits of group and others.
const OTHERS: u32 = 0o077;
/// A folder such as /tmp, which many people share on purpose.
const STICKY: u32 = 0o1000;

/// Makes the folder if needed, closes it to others, and keeps a second process out for as long as the answer lives.
pub fn open(data: &Path) -> Result<File> {
    let made = !data.exists();
    DirBuilder::new()
        .recursive(true)
        .mode(OWNER_ONLY_FOLDER)
        .create(data)
        .with_context(|| {
            let data = data.display();
            format!(
                "node.data: cannot make the folder {data}; make it with `install -d -m 700 -o USER {data}`, or name another with --data"
            )
        })?;
    let lock = lock(data)?;
    tighten(data, made);
    Ok(lock)
}

/// Keeps a second process out of the same data folder.
fn lock(data: &Path) -> Result<File> {
    let path = data.join("lock");
    let file = File::create(&path).map_err(|error| unwritable(data, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            bail!(
                "another Centro runs on {}; stop it, or name another folder with --data",
                data.display()
            )
        }
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", path.display()))
        }
    }
}

/// Why nothing can be written into the folder, and what to do.
fn unwritable(data: &Path, error: io::Error) -> anyhow::Error {
    let data = data.display();
    let advice = match error.kind() {
        io::ErrorKind::PermissionDenied => format!(
            "run Centro as the user who owns it, give it to this user with `chown -R USER {data}`, or name another with --data"
        ),
        io::ErrorKind::ReadOnlyFilesystem => {
            "mount it for writing, or name another with --data".to_owned()
        }
        _ => "name another with --data".to_owned(),
    };
    anyhow!("node.data: cannot write into {data}: {error}; {advice}")
}

/// Whether a name in the data folder is one that we give: databases and what SQLite lays beside them, the secret, the
/// lock, passwords of a first start, recordings.
fn is_ours(name: &str) -> bool {
    const DATABASES: [&str; 4] = [".db", ".db-wal", ".db-shm", ".db-journal"];
    matches!(name, "secret" | "lock" | "recordings" | "demo-unfinished")
        || name.starts_with("credentials")
        || DATABASES.iter().any(|end| name.ends_with(end))
}

/// Closes what an earlier version, or a person, left open to others: our own things, and the folder itself where we made
/// it or nothing else is in it. What others keep beside ours is theirs, and where a link leads is not our business. A
/// volume that belongs to another user cannot be closed by us; that is said and no reason to stop.
fn tighten(data: &Path, made: bool) {
    let entries = fs::read_dir(data).into_iter().flatten().flatten();
    let (ours, strange): (Vec<_>, Vec<_>) =
        entries.partition(|entry| entry.file_name().to_str().is_some_and(is_ours));
    for entry in ours {
        close(&entry.path());
    }
    if made || strange.is_empty() {
        close(data);
    } else if is_open(data) {
        eprintln!(
            "warning: others on this machine can look into {}, which holds more than Centro's files; give Centro a folder of its own",
            data.display()
        );
    }
}

/// Whether others may do anything with what is there; never with what a link leads to.
fn is_open(path: &Path) -> bool {
    mode_of(path).is_some_and(|mode| mode & OTHERS != 0)
}

/// The mode of a file or folder; nothing of a link.
fn mode_of(path: &Path) -> Option<u32> {
    let metadata = fs::symlink_metadata(path).ok()?;
    (metadata.is_file() || metadata.is_dir()).then(|| metadata.permissions().mode() & 0o7777)
}

/// Takes away what group and others may do, keeps what the owner may, and says so.
fn close(path: &Path) {
    let Some(found) = mode_of(path).filter(|mode| mode & OTHERS != 0) else {
        return;
    };
    let wanted = found & OWNER;
    let closed = if found & STICKY != 0 {
        Err("it is shared by all users; give Centro a folder of its own".to_owned())
    } else {
        fs::set_permissions(path, Permissions::from_mode(wanted)).map_err(|e| e.to_string())
    };
    let path = path.display();
    match closed {
        Ok(()) => {
            eprintln!("closed {path} to others on this machine (mode {found:o} is {wanted:o} now)")
        }
        Err(error) => eprintln!("warning: others on this machine can read {path}: {error}"),
    }
}

/// Writes a file only its owner can read. Whoever looks sees the old content or the new, never a part.
pub fn write_private(path: &Path, content: &[u8]) -> Result<()> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let write = || -> std::io::Result<()> {
        let mut file = tempfile::Builder::new()
            .permissions(Permissions::from_mode(OWNER_ONLY_FILE))
            .tempfile_in(folder)?;
        file.write_all(content)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        File::open(folder)?.sync_all()
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn a_folder_has_one_centre() {
        let data = tempfile::tempdir().unwrap();
        let first = open(data.path()).unwrap();
        let error = open(data.path()).unwrap_err().to_string();
        assert!(
            error.contains("another Centro") && error.contains("stop it"),
            "{error}"
        );
        drop(first);
        open(data.path()).unwrap();
    }

    #[test]
    fn nobody_else_can_read_a_new_folder_or_its_files() {
        let parent = tempfile::tempdir().unwrap();
        let data = parent.path().join("a/b");
        let _lock = open(&data).unwrap();
        assert_eq!(mode(&data), 0o700);
        write_private(&data.join("secret"), b"old").unwrap();
        write_private(&data.join("secret"), b"new").unwrap();
        assert_eq!(mode(&data.join("secret")), 0o600);
        assert_eq!(fs::read(data.join("secret")).unwrap(), b"new");
        let left: Vec<_> = fs::read_dir(&data).unwrap().collect();
        assert_eq!(left.len(), 2, "no temporary file stays: {left:?}");
    }

    #[test]
    fn an_open_folder_is_closed_at_the_next_start() {
        let parent = tempfile::tempdir().unwrap();
        let data = parent.path().join("data");
        fs::create_dir(&data).unwrap();
        fs::write(data.join("identity.db"), "").unwrap();
        fs::set_permissions(&data, Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(data.join("identity.db"), Permissions::from_mode(0o644)).unwrap();
        let _lock = open(&data).unwrap();
        assert_eq!(mode(&data), 0o700);
        assert_eq!(mode(&data.join("identity.db")), 0o600);
    }

    #[test]
    fn what_is_not_ours_keeps_its_mode_and_links_are_not_followed() {
        let parent = tempfile::tempdir().unwrap();
        let (data, outside) = (parent.path().join("data"), parent.path().join("outside"));
        fs::create_dir_all(data.join("recordings")).unwrap();
        for (path, mode) in [
            (&outside, 0o644),
            (&data.join("tool.sh"), 0o755),
            (&data.join("secret"), 0o440),
        ] {
            fs::write(path, "").unwrap();
            fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        }
        std::os::unix::fs::symlink(&outside, data.join("linked.db")).unwrap();
        for folder in [&data, &data.join("recordings")] {
            fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
        }
        let lock = open(&data).unwrap();
        assert_eq!(mode(&data), 0o755, "others' things are in it");
        assert_eq!(mode(&data.join("tool.sh")), 0o755);
        assert_eq!(mode(&outside), 0o644);
        assert_eq!(mode(&data.join("secret")), 0o400, "the owner's bits stay");
        assert_eq!(mode(&data.join("recordings")), 0o700);
        drop(lock);
        fs::remove_file(data.join("tool.sh")).unwrap();
        let _lock = open(&data).unwrap();
        assert_eq!(mode(&data), 0o700, "only ours are in it");
    }

    #[test]
    fn a_folder_that_cannot_be_written_says_what_to_do() {
        let denied = |kind: io::ErrorKind| unwritable(Path::new("/srv/x"), kind.into()).to_string();
        let foreign = denied(io::ErrorKind::PermissionDenied);
        assert!(foreign.contains("chown -R USER /srv/x"), "{foreign}");
        let fixed = denied(io::ErrorKind::ReadOnlyFilesystem);
        assert!(fixed.contains("mount it for writing"), "{fixed}");
        // /proc takes no new files, whoever asks.
        let error = open(Path::new("/proc/self")).unwrap_err().to_string();
        assert!(
            error.contains("node.data: cannot write into /proc/self"),
            "{error}"
        );
        assert!(error.contains("--data"), "{error}");
    }

    #[test]
    fn a_folder_that_all_share_is_left_as_it_is() {
        let parent = tempfile::tempdir().unwrap();
        let data = parent.path().join("tmp");
        fs::create_dir(&data).unwrap();
        fs::set_permissions(&data, Permissions::from_mode(0o1777)).unwrap();
        let _lock = open(&data).unwrap();
        assert_eq!(mode(&data), 0o1777);
    }
}
