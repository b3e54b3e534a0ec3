//! The browser tests' packages.

use crate::{command::root, web};
use anyhow::Result;

/// Installs what `tests/browser` needs beside Debian's Chromium.
pub fn prepare() -> Result<()> {
    web::install(&root().join("tests/browser"))
}
