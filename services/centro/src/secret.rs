//! The installation's signing secret: from the settings, or made once and kept in the data folder.

use anyhow::{Context, Result, bail};
use rand::RngCore;
use std::{fs, io::Write, os::unix::fs::OpenOptionsExt, path::Path};

/// Bytes of a generated secret; also the least a configured one may have.
const LENGTH: usize = 32;

/// The secret named in the settings (hex), or the one of the data folder.
pub fn load(configured: &str, data: &Path) -> Result<Vec<u8>> {
    let (text, origin) = if configured.is_empty() {
        let path = data.join("secret");
        if !path.exists() {
            create(&path)?;
        }
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        (text, path.display().to_string())
    } else {
        (configured.to_owned(), "node.secret".to_owned())
    };
    let secret =
        hex::decode(text.trim()).with_context(|| format!("{origin} is not hexadecimal"))?;
    if secret.len() < LENGTH {
        bail!("{origin} has {} bytes; {LENGTH} are needed", secret.len());
    }
    Ok(secret)
}

fn create(path: &Path) -> Result<()> {
    let mut secret = [0; LENGTH];
    rand::rng().fill_bytes(&mut secret);
    write_private(path, hex::encode(secret).as_bytes())
}

/// Writes a file only its owner can read.
pub fn write_private(path: &Path, content: &[u8]) -> Result<()> {
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    file.write_all(content)
        .and_then(|()| file.sync_all())
        .with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_made_once() {
        let data = tempfile::tempdir().unwrap();
        let first = load("", data.path()).unwrap();
        assert_eq!(first.len(), LENGTH);
        assert_eq!(load("", data.path()).unwrap(), first);
    }

    #[test]
    fn a_short_secret_is_refused() {
        let error = load("00ff", Path::new("/nowhere")).unwrap_err().to_string();
        assert_eq!(error, "node.secret has 2 bytes; 32 are needed");
    }
}
