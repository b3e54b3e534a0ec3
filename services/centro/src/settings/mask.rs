//! What of the settings may be shown: no secrets, and no passwords inside addresses.

/// What stands for a hidden value.
const HIDDEN: &str = "***";
/// Ends of names whose values are never shown.
const SECRET: [&str; 6] = [
    "secret",
    "password",
    "passwd",
    "token",
    "credentials",
    "_key",
];

/// The value as it may be shown.
pub fn shown(key: &str, value: &str) -> String {
    let name = key.rsplit('.').next().unwrap_or(key).to_lowercase();
    if !value.is_empty() && SECRET.iter().any(|end| name.ends_with(end)) {
        return HIDDEN.to_owned();
    }
    text(value)
}

/// A text without the user and the password of the addresses in it.
pub fn text(value: &str) -> String {
    let mut shown = String::new();
    let mut rest = value;
    while let Some((before, after)) = rest.split_once("://") {
        shown.push_str(before);
        shown.push_str("://");
        let end = after
            .find(|c: char| c.is_whitespace() || "\"',".contains(c))
            .unwrap_or(after.len());
        let (address, tail) = after.split_at(end);
        // An unescaped / or @ in a password belongs to it: what is before the last @ is hidden.
        let address = address.rsplit_once('@').map_or_else(
            || address.to_owned(),
            |(_, host)| format!("{HIDDEN}@{host}"),
        );
        shown.push_str(&without_password(&address));
        rest = tail;
    }
    shown.push_str(rest);
    shown
}

/// Hides `?password=…`, which database addresses may have.
fn without_password(address: &str) -> String {
    let Some((path, query)) = address.split_once('?') else {
        return address.to_owned();
    };
    let pairs: Vec<_> = query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((key, value)) => format!("{key}={}", shown(key, value)),
            None => pair.to_owned(),
        })
        .collect();
    format!("{path}?{}", pairs.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_passwords_in_addresses_are_hidden_and_nothing_else() {
        for (key, value, expected) in [
            ("node.secret", "00ff", "***"),
            ("node.secret", "", ""),
            ("smtp.Password", "x", "***"),
            ("chat.api_key", "x", "***"),
            ("identity.access_token_ttl", "15m", "15m"),
            (
                "records.url",
                "postgres://me:pa/s@w@db:5432/x",
                "postgres://***@db:5432/x",
            ),
            (
                "records.url",
                "postgres://db/x?user=me&password=pw&sslmode=on",
                "postgres://db/x?user=me&password=***&sslmode=on",
            ),
            (
                "records.url",
                "postgres://db:5432/x",
                "postgres://db:5432/x",
            ),
            (
                "gateway.allowed_origins",
                "[\"https://a:b@c\", \"https://d\"]",
                "[\"https://***@c\", \"https://d\"]",
            ),
        ] {
            assert_eq!(shown(key, value), expected, "{key} = {value}");
        }
    }
}
