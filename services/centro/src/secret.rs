//! The installation's signing secret: from the settings, or made once and kept in the data folder.

use crate::folder;
use anyhow::{Context, Result, anyhow};
use rand::RngCore;
use std::{fs, path::Path};

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
    decode(&text).map_err(|what| anyhow!("{origin} {what}"))
}

/// The bytes of a secret in hex, or what is wrong with it. Never says the secret.
pub fn decode(text: &str) -> Result<Vec<u8>, String> {
    let secret = hex::decode(text.trim()).map_err(|_| "is not hexadecimal".to_owned())?;
    if secret.len() < LENGTH {
        return Err(format!("has {} bytes; {LENGTH} are needed", secret.len()));
    }
    Ok(secret)
}

fn create(path: &Path) -> Result<()> {
    let mut secret = [0; LENGTH];
    rand::rng().fill_bytes(&mut secret);
    folder::write_private(path, hex::encode(secret).as_bytes())
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
