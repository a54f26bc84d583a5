//! The files every page refers to: stylesheet, icon, and the loader of the islands. Found once, at
//! start, so that rendering touches no disk and a missing file is a message instead of a panic.

use leptos::config::LeptosOptions;
use leptos::hydration::{AutoReload, HydrationScripts};
use leptos::prelude::*;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::{fmt, io};

/// Why the site's files could not be named.
#[derive(Debug)]
pub enum AssetsError {
    /// The program could not find out where it lies itself.
    NoProgramFolder(io::Error),
    /// The list of file hashes cannot be read.
    HashFile {
        /// Where it was looked for.
        path: PathBuf,
        /// What went wrong.
        cause: io::Error,
    },
    /// The list of file hashes says nothing of one kind of file.
    HashMissing {
        /// The list.
        path: PathBuf,
        /// `css`, `js` or `wasm`.
        kind: &'static str,
    },
}

impl fmt::Display for AssetsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const ADVICE: &str = "build with `cargo leptos build`, keep its hash file beside the server's \
                              program, or set hash-files = false";
        match self {
            Self::NoProgramFolder(cause) => {
                write!(f, "the folder of the server's program is unknown: {cause}")
            }
            Self::HashFile { path, cause } => {
                write!(
                    f,
                    "file names carry hashes, but {} cannot be read: {cause}; {ADVICE}",
                    path.display()
                )
            }
            Self::HashMissing { path, kind } => {
                write!(
                    f,
                    "file names carry hashes, but {} has no line `{kind}: …`; {ADVICE}",
                    path.display()
                )
            }
        }
    }
}

impl std::error::Error for AssetsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NoProgramFolder(cause) | Self::HashFile { cause, .. } => Some(cause),
            Self::HashMissing { .. } => None,
        }
    }
}

/// The parts of a document's head that are the same on every page.
#[derive(Clone, Debug)]
pub struct Assets {
    head: String,
    loader: Snippet,
    reload: Snippet,
}

impl Assets {
    /// Names the files as `options` say, reading the hash file if names carry hashes.
    pub fn new(options: &LeptosOptions) -> Result<Self, AssetsError> {
        let stylesheet = if options.hash_files {
            let program = std::env::current_exe().map_err(AssetsError::NoProgramFolder)?;
            let folder = program.parent().unwrap_or(Path::new(""));
            let hash = stylesheet_hash(&folder.join(options.hash_file.as_ref()))?;
            format!("{}.{hash}", options.output_name)
        } else {
            options.output_name.to_string()
        };
        Ok(Self::named(options, &stylesheet))
    }

    /// Fixed names, for tests.
    pub fn for_tests() -> Self {
        let options = LeptosOptions::builder().output_name("campus-desk").build();
        Self::named(&options, "campus-desk")
    }

    fn named(options: &LeptosOptions, stylesheet: &str) -> Self {
        let href = format!("/{}/{stylesheet}.css", options.site_pkg_dir);
        let owner = Owner::new();
        let (loader, reload) = owner.with(|| {
            let loader = view! { <HydrationScripts options=options.clone() islands=true /> };
            let reload = view! { <AutoReload options=options.clone() /> };
            (Snippet::new(&loader.to_html()), Snippet::new(&reload.to_html()))
        });
        owner.unset_with_forced_cleanup();
        Self { head: head(href), loader, reload }
    }

    /// Everything before the title.
    pub(crate) fn head(&self) -> &str {
        &self.head
    }

    /// Writes what makes islands live; `nonce` lets it run under the content security policy.
    pub(crate) fn write_loader(&self, nonce: &str, out: &mut String) {
        self.loader.write(nonce, out);
    }

    /// Writes the reloader of `cargo leptos watch`; nothing otherwise.
    pub(crate) fn write_reload(&self, nonce: &str, out: &mut String) {
        self.reload.write(nonce, out);
    }
}

fn head(stylesheet: String) -> String {
    view! {
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <link rel="stylesheet" href=stylesheet />
        <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
        <link rel="manifest" href="/manifest.webmanifest" />
    }
    .to_html()
}

fn stylesheet_hash(path: &Path) -> Result<String, AssetsError> {
    let list = std::fs::read_to_string(path)
        .map_err(|cause| AssetsError::HashFile { path: path.to_owned(), cause })?;
    let hashes: HashMap<_, _> = list
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(kind, hash)| (kind.trim(), hash.trim()))
        .collect();
    let hash_of = |kind| {
        let missing = || AssetsError::HashMissing { path: path.to_owned(), kind };
        hashes.get(kind).filter(|hash| !hash.is_empty()).ok_or_else(missing)
    };
    // The loader names the other two itself; that they are there is seen here.
    hash_of("js").and(hash_of("wasm"))?;
    hash_of("css").map(|&hash| hash.to_owned())
}

/// Markup with script elements, cut open where each one takes its nonce.
#[derive(Clone, Debug)]
struct Snippet(Vec<String>);

const SCRIPT: &str = "<script";

impl Snippet {
    fn new(html: &str) -> Self {
        // An absent view leaves an empty comment behind, which only hydration has a use for.
        Self(html.replace("<!>", "").split(SCRIPT).map(str::to_owned).collect())
    }

    fn write(&self, nonce: &str, out: &mut String) {
        for (number, part) in self.0.iter().enumerate() {
            if number > 0 {
                out.push_str(SCRIPT);
                out.push_str(" nonce=\"");
                // The alphabet of nonces in a policy (CSP 3, `nonce-source`); nothing else gets through.
                out.extend(
                    nonce.chars().filter(|c| c.is_ascii_alphanumeric() || "+/-_=".contains(*c)),
                );
                out.push('"');
            }
            out.push_str(part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash_of(name: &str, list: &str) -> Result<String, String> {
        let path = std::env::temp_dir().join(format!("{name}-{}.txt", std::process::id()));
        std::fs::write(&path, list).map_err(|error| error.to_string())?;
        let found = stylesheet_hash(&path).map_err(|error| error.to_string());
        std::fs::remove_file(&path).map_err(|error| error.to_string())?;
        found
    }

    #[test]
    fn the_stylesheet_is_found_in_the_hash_file() {
        let list = "js: aaa\nwasm: bbb\ncss: ccc\n";
        assert_eq!(hash_of("complete", list), Ok("ccc".to_owned()));
    }

    #[test]
    fn an_incomplete_hash_file_is_named_with_what_is_missing() {
        let error = hash_of("incomplete", "js: aaa\ncss: ccc\n").err().unwrap_or_default();
        assert!(error.contains("no line `wasm: …`"), "{error}");
    }

    #[test]
    fn a_missing_hash_file_is_an_error_with_advice() {
        let options = LeptosOptions::builder()
            .output_name("campus-desk")
            .hash_files(true)
            .hash_file("not-there.txt".into())
            .build();
        let error = Assets::new(&options).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains("not-there.txt") && error.contains("cargo leptos build"), "{error}");
    }

    #[test]
    fn every_script_takes_the_nonce_and_nothing_breaks_out_of_it() {
        let snippet = Snippet::new("<link><script>a</script><script type=\"module\">b</script>");
        let mut out = String::new();
        snippet.write("n0_=\"><b>", &mut out);
        assert_eq!(
            out,
            "<link><script nonce=\"n0_=b\">a</script><script nonce=\"n0_=b\" type=\"module\">b</script>"
        );
    }
}
