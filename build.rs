//! With the feature `bert`, has the binary find libtorch where it was built against it.

fn main() {
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    let wanted = std::env::var_os("CARGO_FEATURE_BERT").is_some();
    if let (true, Ok(libtorch)) = (wanted, std::env::var("LIBTORCH")) {
        println!("cargo:rustc-link-arg-bins=-Wl,-rpath,{libtorch}/lib");
    }
}
