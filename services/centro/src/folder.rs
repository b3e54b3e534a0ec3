//! The data folder: one process at a time, and for its owner's eyes only. It holds the signing secret, password hashes and
//! recordings, so no other person of the machine may read it.

use anyhow::{Context, Result, bail};
use std::{
    fs::{self, DirBuilder, File, Permissions, TryLockError},
    io::Write,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::Path,
};

const OWNER_ONLY_FOLDER: u32 = 0o700;
const OWNER_ONLY_FILE: u32 = 0o600;
/// Bits of group and others.
const OTHERS: u32 = 0o077;
/// A folder such as /tmp, which many people share on purpose.
const STICKY: u32 = 0o1000;

/// Makes the folder if needed, closes it to others, and keeps a second process out for as long as the answer lives.
pub fn open(data: &Path) -> Result<File> {
    DirBuilder::new()
        .recursive(true)
        .mode(OWNER_ONLY_FOLDER)
        .create(data)
        .with_context(|| format!("node.data: cannot make the folder {}", data.display()))?;
    let lock = lock(data)?;
    tighten(data);
    Ok(lock)
}

/// Keeps a second process out of the same data folder.
fn lock(data: &Path) -> Result<File> {
    let path = data.join("lock");
    let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
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

/// Closes a folder and files that an earlier version, or a person, left open to others. A volume that belongs to another
/// user cannot be closed by us; that is said and no reason to stop.
fn tighten(data: &Path) {
    let files = fs::read_dir(data).into_iter().flatten().flatten();
    let wanted = files
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .map(|path| (path, OWNER_ONLY_FILE))
        .chain([(data.to_owned(), OWNER_ONLY_FOLDER)]);
    for (path, mode) in wanted {
        let Ok(found) = fs::metadata(&path).map(|metadata| metadata.permissions().mode()) else {
            continue;
        };
        if found & OTHERS == 0 {
            continue;
        }
        let shared = found & STICKY != 0;
        let closed = if shared {
            Err("it is shared by all users; give Centro a folder of its own".to_owned())
        } else {
            fs::set_permissions(&path, Permissions::from_mode(mode)).map_err(|e| e.to_string())
        };
        if let Err(error) = closed {
            eprintln!(
                "warning: others on this machine can read {}: {error}",
                path.display()
            );
        }
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
    fn a_folder_that_all_share_is_left_as_it_is() {
        let parent = tempfile::tempdir().unwrap();
        let data = parent.path().join("tmp");
        fs::create_dir(&data).unwrap();
        fs::set_permissions(&data, Permissions::from_mode(0o1777)).unwrap();
        let _lock = open(&data).unwrap();
        assert_eq!(mode(&data), 0o1777);
    }
}
