//! One real server for all tests of this binary; each test has databases of its own.

use std::{
    env, fs,
    path::{Path, PathBuf},
    sync::mpsc,
};

use echolot_engines::{
    ClickHouseEndpoint, EngineHome, EngineKind, EngineOptions, Launcher, Supervisor,
};
use tokio::sync::OnceCell;

/// The server, started by whichever test comes first.
pub(crate) async fn shared() -> &'static ClickHouseEndpoint {
    static SERVER: OnceCell<ClickHouseEndpoint> = OnceCell::const_new();
    SERVER.get_or_init(|| async { tokio::task::spawn_blocking(start).await.unwrap() }).await
}

/// The supervisor lives on a thread with a runtime of its own, since those of the tests end with
/// them. The server ends with this process.
fn start() -> ClickHouseEndpoint {
    let (endpoint, started) = mpsc::channel();
    std::thread::spawn(move || {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let options = EngineOptions {
                kafka: None,
                launcher: Launcher::at(example()),
                ..EngineOptions::default()
            };
            let supervisor = Supervisor::start(home(), options, |_| {})
                .await
                .unwrap_or_else(|error| panic!("{error}"));
            endpoint.send(supervisor.endpoints().clickhouse.clone().unwrap()).unwrap();
            panic!("{}", supervisor.failed().await);
        });
    });
    started.recv().unwrap()
}

/// Nothing of an earlier run is left in it. One that still runs holds the lock.
fn home() -> EngineHome {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sink");
    let home = EngineHome::open(folder).unwrap_or_else(|error| panic!("{error}"));
    let data = home.root().join(EngineKind::ClickHouse.slug());
    if data.exists() {
        fs::remove_dir_all(data).unwrap();
    }
    home
}

/// The example has the hidden subcommand that becomes the server; `cargo test` builds it first.
fn example() -> PathBuf {
    let test = env::current_exe().unwrap();
    let path = test.ancestors().nth(2).unwrap().join("examples/store_mentions");
    assert!(
        path.exists(),
        "{} is missing: run `cargo build -p echolot-sink --examples`",
        path.display()
    );
    path
}
