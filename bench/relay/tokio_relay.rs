// A relay as Rust's users write it: tokio_relay VIA TARGET, on all cores, with tokio's own buffers of 8 KiB.
use std::{env, net::Ipv4Addr};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let ports: Vec<u16> = env::args().skip(1).map(|port| port.parse().expect("a port")).collect();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, ports[0])).await?;
    loop {
        let (client, _) = listener.accept().await?;
        let target = ports[1];
        tokio::spawn(async move {
            // The load counts what did not arrive.
            let _ = relay(client, target).await;
        });
    }
}

async fn relay(mut client: TcpStream, target: u16) -> std::io::Result<()> {
    let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, target)).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}
