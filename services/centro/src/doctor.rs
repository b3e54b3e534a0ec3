//! `centro doctor`: what on this machine would keep a centre from working, with the remedy for each.

use crate::{EX_USAGE, SettingsArguments, settings, settings::Settings};
use std::{
    fs,
    net::{IpAddr, SocketAddr, TcpListener, UdpSocket},
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};

/// A call needs two RTP sockets and a share of the signalling; 4,096 files carry about 1,000 calls.
const FILES_WANTED: u64 = 4096;
/// 2026-01-01: a clock before it is wrong, and tokens and recordings would be too.
const EARLIEST: u64 = 1_767_225_600;

/// One thing that was looked at.
struct Finding {
    what: &'static str,
    good: bool,
    said: String,
}

/// Looks at everything and prints it. Fails when something must be mended.
pub fn run(from: &SettingsArguments) -> ExitCode {
    let settings = match settings::load(from) {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(EX_USAGE);
        }
    };
    let findings = examine(&settings);
    for finding in &findings {
        let mark = if finding.good { "ok" } else { "MEND" };
        crate::say(&format!(
            "{mark:<5} {:<16} {}\n",
            finding.what, finding.said
        ));
    }
    if findings.iter().all(|finding| finding.good) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn examine(settings: &Settings) -> Vec<Finding> {
    let sip = settings.telephony.bind;
    let web = settings.gateway.bind;
    vec![
        port(
            "SIP over UDP",
            "telephony.bind",
            sip,
            UdpSocket::bind(sip).map(drop),
        ),
        port(
            "SIP over TCP",
            "telephony.bind",
            sip,
            TcpListener::bind(sip).map(drop),
        ),
        port("web", "gateway.bind", web, TcpListener::bind(web).map(drop)),
        external_address(settings),
        clock(),
        open_files(),
        data(settings),
    ]
}

fn port(what: &'static str, key: &str, address: SocketAddr, bound: std::io::Result<()>) -> Finding {
    match bound {
        Ok(()) => Finding {
            what,
            good: true,
            said: format!("{address} is free"),
        },
        Err(error) => Finding {
            what,
            good: false,
            said: format!(
                "{address}: {error}; stop what uses it, or choose another with --set {key}=ADDRESS:PORT"
            ),
        },
    }
}

/// Phones elsewhere need an address they can reach; behind NAT that is not the one we bind.
fn external_address(settings: &Settings) -> Finding {
    let bound = settings.telephony.bind.ip();
    let told = settings.telephony.external_address;
    let said = match told {
        Some(address) => {
            return Finding {
                what: "address",
                good: true,
                said: format!("phones are told {address}"),
            };
        }
        None if bound.is_loopback() => {
            return Finding {
                what: "address",
                good: true,
                said: "only phones on this computer can register; for others set telephony.bind=0.0.0.0:5060".to_owned(),
            };
        }
        None => local_address(),
    };
    match said {
        Some(address) if is_private(address) => Finding {
            what: "address",
            good: true,
            said: format!("{address} is a private address: for phones outside this network set telephony.external_address"),
        },
        Some(address) => Finding { what: "address", good: true, said: format!("phones are told {address}") },
        None => Finding {
            what: "address",
            good: false,
            said: "this machine has no route to the world; set telephony.external_address to what phones can reach".to_owned(),
        },
    }
}

/// The address this machine would use towards the world. Connecting a UDP socket sends nothing.
fn local_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

fn clock() -> Finding {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs());
    if now < EARLIEST {
        return Finding {
            what: "clock",
            good: false,
            said: "the clock is years behind; set it, e.g. with timedatectl".into(),
        };
    }
    let synchronised = fs::metadata("/run/systemd/timesync/synchronized").is_ok();
    let said = if synchronised {
        "kept by systemd-timesyncd"
    } else {
        "plausible; nothing tells whether it is synchronised"
    };
    Finding {
        what: "clock",
        good: true,
        said: said.into(),
    }
}

fn open_files() -> Finding {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let limit = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))
        .and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    match limit {
        Some(files) if files < FILES_WANTED => Finding {
            what: "open files",
            good: false,
            said: format!(
                "{files} at most; {FILES_WANTED} carry about 1,000 calls: raise it with ulimit -n or LimitNOFILE="
            ),
        },
        Some(files) => Finding {
            what: "open files",
            good: true,
            said: format!("{files} at most"),
        },
        None => Finding {
            what: "open files",
            good: true,
            said: "no limit could be read".into(),
        },
    }
}

fn data(settings: &Settings) -> Finding {
    let folder = &settings.node.data;
    let probe = folder.join(".doctor");
    let written = fs::create_dir_all(folder)
        .and_then(|()| fs::write(&probe, b""))
        .and_then(|()| fs::remove_file(&probe));
    match written {
        Ok(()) => Finding {
            what: "data folder",
            good: true,
            said: folder.display().to_string(),
        },
        Err(error) => Finding {
            what: "data folder",
            good: false,
            said: format!(
                "{}: {error}; name another with --data DIR",
                folder.display()
            ),
        },
    }
}
