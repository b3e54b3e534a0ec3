//! One test, two engines.

use proc_macro::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};

/// Makes two tests of an `async fn`: `…_on_sqlite` and `…_on_postgres`. In its body `centro_testkit::engines::records()` says where
/// the records are. What stands in parentheses goes to `tokio::test`.
#[proc_macro_attribute]
pub fn on_both_engines(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let Some(name) = name_of(&item) else {
        return error("on_both_engines stands before an async fn");
    };
    let runner = |engine: &str, variant: &str| {
        let test = format!("{name}_on_{engine}");
        let text = format!(
            "async fn {test}() {{ ::centro_testkit::engines::on(::centro_testkit::engines::Kind::{variant}, {name}()).await; }}"
        );
        let mut tokens = attribute("::tokio::test", &arguments);
        tokens.extend(text.parse::<TokenStream>());
        tokens
    };
    let mut tests = item;
    tests.extend(runner("sqlite", "Sqlite"));
    tests.extend(runner("postgres", "Postgres"));
    tests
}

fn name_of(item: &TokenStream) -> Option<String> {
    let mut tokens = item.clone().into_iter();
    tokens.find(|token| matches!(token, TokenTree::Ident(word) if word.to_string() == "fn"))?;
    match tokens.next()? {
        TokenTree::Ident(name) => Some(name.to_string()),
        _ => None,
    }
}

/// `#[path(arguments)]`.
fn attribute(path: &str, arguments: &TokenStream) -> TokenStream {
    let mut inner: TokenStream = path.parse().unwrap_or_default();
    inner.extend([TokenTree::Group(Group::new(
        Delimiter::Parenthesis,
        arguments.clone(),
    ))]);
    let mut tokens: TokenStream = "#".parse().unwrap_or_default();
    tokens.extend([TokenTree::Group(Group::new(Delimiter::Bracket, inner))]);
    tokens
}

fn error(text: &str) -> TokenStream {
    let mut tokens = TokenStream::from(TokenTree::Ident(Ident::new(
        "compile_error",
        Span::call_site(),
    )));
    tokens.extend(format!("!(\"{text}\");").parse::<TokenStream>());
    tokens
}
