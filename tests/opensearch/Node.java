import java.nio.file.Files;
import java.nio.file.Path;
import org.codelibs.opensearch.runner.OpenSearchRunner;

/**
 * One OpenSearch node on loopback: Node FOLDER HTTP-PORT TRANSPORT-PORT STOP-FILE PID.
 * It ends when STOP-FILE appears or the process PID is gone.
 */
public class Node {
    public static void main(String[] arguments) throws Exception {
        Path stop = Path.of(arguments[3]);
        long master = Long.parseLong(arguments[4]);
        OpenSearchRunner runner = new OpenSearchRunner();
        runner.onBuild((number, settings) -> {
            settings.put("network.host", "127.0.0.1");
            settings.put("http.port", arguments[1]);
            settings.put("transport.port", arguments[2]);
            settings.put("cluster.routing.allocation.disk.threshold_enabled", false);
        });
        runner.build(OpenSearchRunner.newConfigs()
            .clusterName("alos2-tests").numOfNode(1).basePath(arguments[0]).useLogger());
        while (!Files.exists(stop)
               && ProcessHandle.of(master).map(ProcessHandle::isAlive).orElse(false)) {
            Thread.sleep(200);
        }
        runner.close();
        System.exit(0);
    }
}
