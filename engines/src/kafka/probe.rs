//! Asks a broker whether it serves, with one Metadata request by hand: a client
//! library is a lot of code and threads for one question.

use std::{io, net::Ipv4Addr};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Larger than any answer about no topics at all.
const ANSWER_MAX_BYTES: i32 = 64 * 1024;
const CORRELATION: i32 = 0x6563_686f;

/// Whether the broker at `port` lists a live broker, which in a cluster of one is
/// itself: it then is registered with the controller and not fenced any more.
pub(crate) async fn is_ready(port: u16) -> io::Result<bool> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    stream.write_all(&metadata_request()).await?;
    let length = stream.read_i32().await?;
    if !(8..=ANSWER_MAX_BYTES).contains(&length) {
        return Err(io::Error::other("not a Kafka answer"));
    }
    let correlation = stream.read_i32().await?;
    let brokers = stream.read_i32().await?;
    Ok(correlation == CORRELATION && brokers > 0)
}

/// Metadata v1 about no topics (Kafka protocol guide, API key 3): header v1 with a
/// null client id, then an empty array, which in v1 means "none".
fn metadata_request() -> Vec<u8> {
    let mut request = Vec::with_capacity(18);
    request.extend(14_i32.to_be_bytes()); // what follows, in bytes
    request.extend(3_i16.to_be_bytes()); // Metadata
    request.extend(1_i16.to_be_bytes()); // version
    request.extend(CORRELATION.to_be_bytes());
    request.extend((-1_i16).to_be_bytes()); // client id
    request.extend(0_i32.to_be_bytes()); // topics
    request
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    async fn answer_with(bytes: Vec<u8>) -> io::Result<bool> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 18];
            stream.read_exact(&mut request).await.unwrap();
            stream.write_all(&bytes).await.unwrap();
        });
        let ready = is_ready(port).await;
        server.await.unwrap();
        ready
    }

    fn answer(correlation: i32, brokers: i32) -> Vec<u8> {
        [8, correlation, brokers].into_iter().flat_map(i32::to_be_bytes).collect()
    }

    #[tokio::test]
    async fn a_broker_that_lists_itself_is_ready() {
        assert!(answer_with(answer(CORRELATION, 1)).await.unwrap());
    }

    #[tokio::test]
    async fn a_fenced_broker_is_not_ready() {
        assert!(!answer_with(answer(CORRELATION, 0)).await.unwrap());
    }

    #[tokio::test]
    async fn another_server_on_the_port_is_not_taken_for_a_broker() {
        assert!(answer_with(b"HTTP/1.1 400 Bad Request\r\n".to_vec()).await.is_err());
        assert!(!answer_with(answer(7, 1)).await.unwrap());
    }
}
