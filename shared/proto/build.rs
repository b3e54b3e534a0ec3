//! Compiles `proto/` with protox, so that no protoc needs to be installed.

use std::{
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
};

const ROOT: &str = "../../proto";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={ROOT}");
    let mut files = Vec::new();
    collect(&Path::new(ROOT).join("centro"), &mut files)?;
    files.sort();

    let mut compiler = protox::Compiler::new([ROOT])?;
    compiler.include_imports(true).include_source_info(true);
    for file in files {
        compiler.open_file(file)?;
    }
    // `file_descriptor_set()` loses custom options; only the encoded form keeps them for prost-reflect.
    let descriptors = PathBuf::from(env::var("OUT_DIR")?).join("descriptors.bin");
    fs::write(descriptors, compiler.encode_file_descriptor_set())?;

    let mut ours = compiler.file_descriptor_set();
    // prost-build follows field types, so google.protobuf must stay in the set.
    ours.file.retain(|file| {
        let package = file.package();
        package.starts_with("centro.") || package == "google.protobuf" || package == "google.api"
    });
    let mut config = tonic_prost_build::Config::new();
    config.enable_type_names();
    tonic_prost_build::configure()
        .build_transport(false) // clients ride `centro_node::Conn`; also frees the name `connect` for RPCs
        .bytes(".google.api.HttpBody")
        .compile_fds_with_config(ours, config)?;
    Ok(())
}

/// Every `.proto` file below `dir`.
fn collect(dir: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, found)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "proto")
        {
            found.push(path);
        }
    }
    Ok(())
}
