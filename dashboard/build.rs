//! Builds the page from `web/` with npm and puts it into the binary.

use std::{
    env,
    fmt::Write as _,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use flate2::{Compression, write::GzEncoder};

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error("{0} is not set; is this run by cargo?")]
    Unset(&'static str),
    #[error(
        "cannot run npm: {0}; `make system` installs Node.js, which builds the dashboard's page"
    )]
    NoNpm(std::io::Error),
    #[error("`npm {0}` failed in dashboard/web; its messages are above")]
    Npm(String),
    #[error("{path}: {source}", path = path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error("{0}: a file of a kind that the page does not use")]
    Kind(String),
}

fn main() -> Result<(), Failed> {
    let here = PathBuf::from(
        env::var_os("CARGO_MANIFEST_DIR").ok_or(Failed::Unset("CARGO_MANIFEST_DIR"))?,
    );
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or(Failed::Unset("OUT_DIR"))?);
    let web = here.join("web");
    for part in [
        "src",
        "index.html",
        "package.json",
        "package-lock.json",
        "vite.config.ts",
        "tsconfig.json",
    ] {
        println!("cargo::rerun-if-changed={}", web.join(part).display());
    }
    install(&web)?;
    let built = out.join("web");
    let target = built.display().to_string();
    npm(&web, &["run", "--silent", "build", "--", "--outDir", &target, "--emptyOutDir"])?;
    let mut assets = Vec::new();
    collect(&built, &built, &mut assets)?;
    assets.sort();
    let mut code = String::from("const ASSETS: &[Asset] = &[\n");
    for path in assets {
        let (plain, packed) =
            (built.join(&path), out.join(format!("{}.gz", path.replace('/', "_"))));
        pack(&plain, &packed)?;
        // Writing to a string cannot fail.
        let _ = writeln!(
            code,
            "Asset {{ path: {path:?}, kind: {:?}, plain: include_bytes!({:?}), gzip: include_bytes!({:?}) }},",
            kind(&path)?,
            plain.display().to_string(),
            packed.display().to_string(),
        );
    }
    code.push_str("];\n");
    let listing = out.join("assets.rs");
    fs::write(&listing, code).map_err(|source| Failed::File { path: listing, source })
}

/// The pinned packages, unless they are there already.
fn install(web: &Path) -> Result<(), Failed> {
    let wanted = fs::read(web.join("package-lock.json")).ok();
    let stamp = web.join("node_modules/.installed-lock");
    if wanted.is_some() && fs::read(&stamp).ok() == wanted {
        return Ok(());
    }
    npm(web, &["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])?;
    fs::write(&stamp, wanted.unwrap_or_default())
        .map_err(|source| Failed::File { path: stamp, source })
}

fn npm(web: &Path, arguments: &[&str]) -> Result<(), Failed> {
    let ended =
        Command::new("npm").args(arguments).current_dir(web).status().map_err(Failed::NoNpm)?;
    if ended.success() { Ok(()) } else { Err(Failed::Npm(arguments.join(" "))) }
}

fn collect(root: &Path, folder: &Path, into: &mut Vec<String>) -> Result<(), Failed> {
    let file = |source| Failed::File { path: folder.to_owned(), source };
    for entry in fs::read_dir(folder).map_err(file)? {
        let path = entry.map_err(file)?.path();
        if path.is_dir() {
            collect(root, &path, into)?;
        } else if let Ok(inside) = path.strip_prefix(root) {
            into.push(inside.to_string_lossy().into_owned());
        }
    }
    Ok(())
}

fn pack(plain: &Path, packed: &Path) -> Result<(), Failed> {
    let bytes =
        fs::read(plain).map_err(|source| Failed::File { path: plain.to_owned(), source })?;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder
        .write_all(&bytes)
        .and_then(|()| encoder.finish())
        .and_then(|bytes| fs::write(packed, bytes))
        .map_err(|source| Failed::File { path: packed.to_owned(), source })
}

fn kind(path: &str) -> Result<&'static str, Failed> {
    match path.rsplit('.').next() {
        Some("html") => Ok("text/html; charset=utf-8"),
        Some("js") => Ok("text/javascript; charset=utf-8"),
        Some("css") => Ok("text/css; charset=utf-8"),
        Some("svg") => Ok("image/svg+xml"),
        _ => Err(Failed::Kind(path.to_owned())),
    }
}
