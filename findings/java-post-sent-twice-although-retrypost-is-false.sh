#!/usr/bin/env bash
# OpenJDK 17 (Debian 12's openjdk-17-jdk-headless), HttpURLConnection, 2026-11-29.
#
# sun.net.http.retryPost=false is documented as the way to keep HttpURLConnection from sending a POST again. It does so for a
# kept connection that was found closed. It does not where a server answers before it has read the body and closes, as servers
# do for a body that is too large: the POST is then sent a second time, on a new connection, with the property and without. The
# program never sees the 413 that was answered twice; it gets "Error writing to server".
#
# Output seen (the same with -Dsun.net.http.retryPost=true):
#   the program saw: IOException: Error writing to server
#   requests that reached the server: 2
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
if ! java=$(command -v java) || ! "$java" -version 2>&1 | grep -q '"17\.'; then
  apt-get update >/dev/null && apt-get install --yes openjdk-17-jdk-headless >/dev/null
  java=/usr/lib/jvm/java-17-openjdk-amd64/bin/java
fi

cat >Early.java <<'JAVA'
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URL;
import java.util.concurrent.atomic.AtomicInteger;

public class Early {
  public static void main(String[] arguments) throws Exception {
    ServerSocket listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    AtomicInteger requests = new AtomicInteger();
    Thread server = new Thread(() -> {
      while (true) {
        try (Socket connection = listener.accept()) {
          answerEarly(connection, requests);
        } catch (Exception e) {
          // The sender went away.
        }
      }
    });
    server.setDaemon(true);
    server.start();

    HttpURLConnection post = (HttpURLConnection) new URL("http://127.0.0.1:" + listener.getLocalPort() + "/").openConnection();
    post.setRequestMethod("POST");
    post.setDoOutput(true);
    post.setReadTimeout(2000);
    String saw;
    try {
      try (OutputStream body = post.getOutputStream()) {
        body.write(new byte[8 * 1024 * 1024]);
      }
      saw = "status " + post.getResponseCode();
    } catch (IOException e) {
      saw = e.getClass().getSimpleName() + ": " + e.getMessage();
    }
    Thread.sleep(500);
    System.out.println("the program saw: " + saw);
    System.out.println("requests that reached the server: " + requests.get());
  }

  static void answerEarly(Socket connection, AtomicInteger requests) throws Exception {
    InputStream in = connection.getInputStream();
    StringBuilder head = new StringBuilder();
    while (head.indexOf("\r\n\r\n") < 0) {
      int next = in.read();
      if (next < 0) return;
      head.append((char) next);
    }
    requests.incrementAndGet();
    connection.getOutputStream().write("HTTP/1.1 413 Payload Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".getBytes());
    Thread.sleep(50);
  }
}
JAVA

seen=$("$java" -Dsun.net.http.retryPost=false Early.java)
echo "$seen"
[ "$seen" = "the program saw: IOException: Error writing to server
requests that reached the server: 2" ]
