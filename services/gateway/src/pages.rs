//! The web pages, built into the binary. Names under `assets/` carry a hash of their content and never change; every
//! other path of the single-page application is its index.

use actix_web::{HttpResponse, http::header};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "web/dist"]
#[allow_missing = true]
struct Pages;

/// What our own pages may load. Styles are injected at run time by the component library, hence `unsafe-inline` there;
/// recordings are played from blobs.
pub const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: \
                          blob:; font-src 'self' data:; connect-src 'self'; media-src 'self' blob:; manifest-src 'self'; \
                          worker-src 'self' blob:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const MISSING: &str = r#"<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Centro</title>
<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem}code{background:#8882;padding:.1em .3em}</style>
<h1>Centro</h1>
<p>The server runs, but its web pages are not part of this build. Install Node 20.19 or newer with npm
(<a href="https://nodejs.org/en/download">nodejs.org</a>), build them with <code>cargo xtask web</code>, then build and
start Centro again. The API is described at <a href="/openapi.json">/openapi.json</a>.</p>
<p lang="it">Il server è in funzione, ma questa build non contiene le pagine web. Installa Node 20.19 o successivo con
npm (<a href="https://nodejs.org/en/download">nodejs.org</a>), compilale con <code>cargo xtask web</code>, poi ricompila e
riavvia Centro. L’API è descritta in <a href="/openapi.json">/openapi.json</a>.</p>
</html>
"#;

/// The page or asset at a path; `None` when there is none and the path looks like a file.
pub fn at(path: &str) -> Option<HttpResponse> {
    let name = path.trim_start_matches('/');
    let (file, immutable) = match Pages::get(name).filter(|_| !name.is_empty()) {
        Some(file) => (file, name.starts_with("assets/")),
        // A missing script must not come as HTML.
        None if name.starts_with("assets/")
            || name.rsplit('/').next().unwrap_or_default().contains('.') =>
        {
            return None;
        }
        None => match Pages::get("index.html") {
            Some(index) => return Some(page(index.data)),
            None => return (name.is_empty()).then(|| page(MISSING.as_bytes().into())),
        },
    };
    if name == "index.html" {
        return Some(page(file.data));
    }
    let kind = mime_guess::from_path(name).first_or_octet_stream();
    let cache = if immutable {
        "public, max-age=31536000, immutable"
    } else {
        "public, max-age=300"
    };
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CONTENT_TYPE, kind.as_ref()));
    response.insert_header((header::CACHE_CONTROL, cache));
    Some(response.body(file.data.into_owned()))
}

fn page(html: std::borrow::Cow<'static, [u8]>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .body(html.into_owned())
}
