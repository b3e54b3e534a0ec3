//! The browser tests' packages.

use crate::{command::root, node::Node, web};
use anyhow::Result;

/// Installs what `tests/browser` needs beside Debian's Chromium.
pub fn prepare(node: &Node) -> Result<()> {
    web::install(node, &root().join("tests/browser"))
}
