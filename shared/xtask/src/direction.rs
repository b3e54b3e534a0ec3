//! Arrows run one way: centro → services → shared ports → contract → proto, kernel. A service never imports another
//! service; a core imports the kernel and nothing else of ours.

use anyhow::{Result, bail};
use cargo_metadata::{DependencyKind, MetadataCommand};

/// What each of our crates may use of ours. A new edge is a decision: write it down in docs/decisions first.
const ALLOWED: &[(&str, &[&str])] = &[
    ("centro-kernel", &[]),
    ("centro-proto", &[]),
    ("centro-edge", &["centro-kernel"]),
    ("centro-routing-core", &["centro-kernel"]),
    ("centro-media", &["centro-kernel"]),
    ("centro-cluster", &["centro-kernel"]),
    ("centro-bus", &["centro-kernel"]),
    ("centro-contract", &["centro-kernel", "centro-proto"]),
    (
        "centro-events",
        &["centro-bus", "centro-kernel", "centro-proto"],
    ),
    ("centro-store", &["centro-bus", "centro-kernel"]),
    (
        "centro-node",
        &[
            "centro-bus",
            "centro-cluster",
            "centro-contract",
            "centro-kernel",
            "centro-proto",
            "centro-store",
        ],
    ),
    ("centro-analytics", SERVICE),
    ("centro-chat", SERVICE),
    ("centro-configuration", SERVICE),
    ("centro-dialer", SERVICE),
    ("centro-gateway", GATEWAY),
    ("centro-identity", SERVICE),
    ("centro-routing", ROUTING),
    // The proof plays telephony and routing at once, on their pure rules. Nothing may use it.
    (
        "centro-routing-proof",
        &["centro-edge", "centro-kernel", "centro-routing-core"],
    ),
    ("centro-telephony", TELEPHONY),
    ("centro-testkit", &["centro-testkit-macros"]),
    ("centro-testkit-macros", &[]),
    (
        "centro-loadtest",
        &["centro-kernel", "centro-media", "centro-testkit"],
    ),
    (
        "centro-tests",
        &[
            "centro-kernel",
            "centro-loadtest",
            "centro-media",
            "centro-testkit",
        ],
    ),
    ("centro-xtask", &[]),
];

const SERVICE: &[&str] = &[
    "centro-bus",
    "centro-cluster",
    "centro-contract",
    "centro-kernel",
    "centro-node",
    "centro-proto",
    "centro-store",
];
const GATEWAY: &[&str] = &[
    "centro-bus",
    "centro-cluster",
    "centro-contract",
    "centro-events",
    "centro-kernel",
    "centro-node",
    "centro-proto",
    "centro-store",
];
const ROUTING: &[&str] = &[
    "centro-bus",
    "centro-cluster",
    "centro-contract",
    "centro-edge",
    "centro-kernel",
    "centro-node",
    "centro-proto",
    "centro-store",
    "centro-routing-core",
];
const TELEPHONY: &[&str] = &[
    "centro-bus",
    "centro-cluster",
    "centro-contract",
    "centro-kernel",
    "centro-node",
    "centro-proto",
    "centro-store",
    "centro-edge",
    "centro-media",
];

/// Only a proof: nothing of the product may use it, and nothing else may plant bugs.
const PROOF: &str = "centro-routing-proof";
const BUGS: &str = "mutants";

/// Refuses an arrow that is not on the list. `centro`, the binary, wires everything and may use all.
pub fn check() -> Result<()> {
    let metadata = MetadataCommand::new().no_deps().exec()?;
    let mut wrong = Vec::new();
    for package in metadata
        .packages
        .iter()
        .filter(|package| package.name.as_str() != "centro")
    {
        let Some((_, allowed)) = ALLOWED
            .iter()
            .find(|(name, _)| *name == package.name.as_str())
        else {
            wrong.push(format!(
                "{} is not on the list of shared/xtask/src/direction.rs",
                package.name
            ));
            continue;
        };
        for dependency in &package.dependencies {
            let ours = dependency.path.is_some();
            let built_in = dependency.kind != DependencyKind::Development;
            if ours && built_in && !allowed.contains(&dependency.name.as_str()) {
                wrong.push(format!("{} must not use {}", package.name, dependency.name));
            }
        }
    }
    for package in metadata
        .packages
        .iter()
        .filter(|p| p.name.as_str() != PROOF)
    {
        for dependency in &package.dependencies {
            if dependency.name == PROOF {
                wrong.push(format!("{} must not use {PROOF}", package.name));
            }
            if dependency.features.iter().any(|feature| feature == BUGS) {
                wrong.push(format!("{} must not ask for bugs", package.name));
            }
        }
    }
    if !wrong.is_empty() {
        bail!("dependency direction:\n  {}", wrong.join("\n  "));
    }
    println!(
        "dependency direction: {} crates, all arrows allowed",
        metadata.packages.len()
    );
    Ok(())
}
