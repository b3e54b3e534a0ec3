//! Speaks `clips/texts.toml` into `clips/<language>/*.ulaw`. Needs espeak-ng and sox (`apt-get install espeak-ng sox`).

use std::{collections::BTreeMap, fs, io, path::Path, process::Command};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let clips = Path::new(env!("CARGO_MANIFEST_DIR")).join("clips");
    let texts: BTreeMap<String, toml::Table> =
        toml::from_str(&fs::read_to_string(clips.join("texts.toml"))?)?;
    for (language, table) in texts {
        let voice = table
            .get("voice")
            .and_then(toml::Value::as_str)
            .ok_or("no voice")?;
        let folder = clips.join(&language);
        fs::create_dir_all(&folder)?;
        for (name, value) in &table {
            match value {
                toml::Value::String(text) if name != "voice" => {
                    speak(voice, text, &folder.join(format!("{name}.ulaw")))?;
                }
                toml::Value::Array(numbers) => {
                    for (n, word) in numbers.iter().enumerate() {
                        let word = word.as_str().ok_or("a number is no word")?;
                        speak(voice, word, &folder.join(format!("number_{}.ulaw", n + 1)))?;
                    }
                }
                _ => {}
            }
        }
        println!("{language}: spoken by {voice}");
    }
    Ok(())
}

/// Telephone band, silence trimmed at both ends and 80 ms of it put back, −3 dB peak.
fn speak(voice: &str, text: &str, into: &Path) -> io::Result<()> {
    let wav = into.with_extension("wav");
    run(Command::new("espeak-ng")
        .args(["-v", voice, "-s", "150", "-w"])
        .arg(&wav)
        .arg(text))?;
    let trim = [
        "silence", "1", "0.01", "0.5%", "reverse", "silence", "1", "0.01", "0.5%", "reverse",
    ];
    run(Command::new("sox")
        .arg(&wav)
        .args(["-t", "ul", "-r", "8000", "-c", "1"])
        .arg(into)
        .args(["gain", "-6", "highpass", "200"])
        .args(trim)
        .args(["pad", "0.04", "0.08", "gain", "-n", "-6"]))?;
    fs::remove_file(wav)
}

fn run(command: &mut Command) -> io::Result<()> {
    let status = command.status()?;
    if status.success() {
        Ok(())
    } else {
        Err(io::Error::other(format!("{command:?}: {status}")))
    }
}
