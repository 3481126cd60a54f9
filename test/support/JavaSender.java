import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * POSTs by HttpURLConnection. Each line of the input is one POST: a name for it, the URL, "=" and the
 * body in base64, then headers as name=value, parted by tabs, values in base64. Each line of the output is the name, a tab, and the status or
 * the message of the failure. Start it with -Dsun.net.http.retryPost=false.
 */
public class JavaSender {
  /** Connections whose error bodies nobody reads: held, so that no garbage collection closes them. */
  private static final List<HttpURLConnection> unread = new ArrayList<>();

  public static void main(String[] args) throws IOException {
    ExecutorService threads = Executors.newCachedThreadPool();
    BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
    say("ready");
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      String[] words = line.split("\t");
      threads.execute(() -> say(words[0] + "\t" + post(words)));
    }
    System.exit(0);
  }

  private static String post(String[] words) {
    try {
      HttpURLConnection connection = (HttpURLConnection) URI.create(words[1]).toURL().openConnection();
      connection.setRequestMethod("POST");
      connection.setConnectTimeout(2000);
      connection.setReadTimeout(2000);
      connection.setDoOutput(true);
      for (int index = 3; index < words.length; index++) {
        String[] header = words[index].split("=", 2);
        connection.setRequestProperty(header[0], new String(Base64.getDecoder().decode(header[1])));
      }
      try (OutputStream body = connection.getOutputStream()) {
        body.write(Base64.getDecoder().decode(words[2].substring(1)));
      }
      int status = connection.getResponseCode();
      if (status < 400) {
        connection.getInputStream().close();
      } else {
        synchronized (unread) {
          unread.add(connection);
        }
      }
      return Integer.toString(status);
    } catch (IOException failure) {
      return String.valueOf(failure.getMessage());
    }
  }

  private static synchronized void say(String line) {
    System.out.println(line);
    System.out.flush();
  }
}
