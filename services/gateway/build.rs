//! Makes sure that the folder of the built pages exists, so that cargo notices when it is filled.

fn main() {
    // Sources may be read-only; then the pages are simply missing.
    let _ = std::fs::create_dir_all("web/dist");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=web/dist");
}
