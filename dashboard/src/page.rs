//! The page: built from `web/` by `build.rs`, carried by the binary.

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};

/// A file of the page.
struct Asset {
    /// Path after the slash.
    path: &'static str,
    kind: &'static str,
    plain: &'static [u8],
    gzip: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// Answers with a file of the page; every path without a dot is one of the page's own.
pub(crate) async fn page(uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    let wanted = if path.contains('.') { path } else { "index.html" };
    let Some(asset) = ASSETS.iter().find(|asset| asset.path == wanted) else {
        return (StatusCode::NOT_FOUND, "there is no such page\n").into_response();
    };
    let packed = headers
        .get(header::ACCEPT_ENCODING)
        .is_some_and(|known| known.to_str().is_ok_and(|known| known.contains("gzip")));
    // Names of built files hold a hash of their content, that of the page itself does not.
    let keep =
        if wanted == "index.html" { "no-cache" } else { "public, max-age=31536000, immutable" };
    let mut response = if packed { asset.gzip } else { asset.plain }.into_response();
    let to = response.headers_mut();
    to.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.kind));
    to.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    to.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if packed {
        to.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}
