//! JSON Schema cannot compare strings like "20s", so a range of durations becomes a pattern.

/// A regular expression for the integers `lo..=hi` without leading zeros.
pub fn range(lo: u64, hi: u64) -> String {
    let mut parts = vec![];
    let mut from = lo;
    while from <= hi {
        // The widest block `prefix` + any digits that starts at `from`.
        let mut width = 1;
        while from.is_multiple_of(width * 10) && from != 0 && from + width * 10 - 1 <= hi {
            width *= 10;
        }
        let last = (from / width % 10 + (hi - from + 1) / width - 1).min(9);
        let (head, digit, tail) = (from / width / 10, from / width % 10, width.ilog10());
        let head = if head == 0 {
            String::new()
        } else {
            head.to_string()
        };
        let digits = if digit == last {
            digit.to_string()
        } else {
            format!("[{digit}-{last}]")
        };
        parts.push(format!(
            "{head}{digits}{}",
            match tail {
                0 => String::new(),
                1 => "[0-9]".into(),
                n => format!("[0-9]{{{n}}}"),
            }
        ));
        from += (last - digit + 1) * width;
    }
    parts.join("|")
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_range_pattern_accepts_exactly_its_integers() {
        for (lo, hi) in [(0, 9), (5, 119), (0, 600), (17, 1234), (99, 101)] {
            let re = matcher(&super::range(lo, hi));
            for n in 0..2000 {
                assert_eq!(
                    re(&n.to_string()),
                    (lo..=hi).contains(&n),
                    "{n} in {lo}..={hi}"
                );
            }
        }
    }
    /// Enough of a matcher for `[a-b]`, `[0-9]{n}`, digits and `|`.
    fn matcher(pattern: &str) -> impl Fn(&str) -> bool + use<> {
        let options: Vec<Vec<(char, char)>> = pattern
            .split('|')
            .map(|option| {
                let mut out: Vec<(char, char)> = vec![];
                let mut chars = option.chars();
                while let Some(c) = chars.next() {
                    match c {
                        '[' => {
                            let a = chars.next().unwrap();
                            chars.next();
                            let b = chars.next().unwrap();
                            chars.next();
                            out.push((a, b))
                        }
                        '{' => {
                            let n: usize = chars
                                .by_ref()
                                .take_while(|c| *c != '}')
                                .collect::<String>()
                                .parse()
                                .unwrap();
                            let last = *out.last().unwrap();
                            out.extend(std::iter::repeat_n(last, n - 1))
                        }
                        c => out.push((c, c)),
                    }
                }
                out
            })
            .collect();
        move |text| {
            options.iter().any(|o| {
                o.len() == text.len()
                    && text
                        .chars()
                        .zip(o)
                        .all(|(c, (a, b))| (*a..=*b).contains(&c))
            })
        }
    }
}
