package org.gumbel4j.gateway;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.net.SocketFactory;
import py4j.CallbackClient;
import py4j.ClientServerConnection;
import py4j.Gateway;
import py4j.GatewayServer;
import py4j.JavaServer;
import py4j.Protocol;
import py4j.Py4JException;
import py4j.Py4JJavaServer;
import py4j.Py4JPythonClientPerThread;
import py4j.Py4JServerConnection;
import py4j.PythonClient;
import py4j.ReturnObject;
import py4j.commands.CallCommand;
import py4j.commands.Command;

/**
 * The Java server of Py4J's {@code ClientServer} (a thread for each connection), on 127.0.0.1 and a
 * free port, narrowed to what the bridge needs: a connection must present the token first, and then
 * can call methods of the entry point and nothing else. Py4J's other commands, which construct
 * objects and reach every class of the JVM, are not installed.
 */
final class EntryPointServer extends JavaServer {
  private static final int FREE_PORT = 0;
  private static final int NO_TIMEOUT = 0;

  EntryPointServer(EntryPoint entryPoint, String token) {
    this(entryPoint, token, clientThatIsNeverUsed(token));
  }

  private EntryPointServer(
      EntryPoint entryPoint, String token, Py4JPythonClientPerThread pythonClient) {
    super(entryPoint, FREE_PORT, NO_TIMEOUT, NO_TIMEOUT, List.of(), pythonClient, token);
    pythonClient.setGateway(getGateway());
    pythonClient.setJavaServer(this);
  }

  @Override
  protected Py4JServerConnection createConnection(Gateway gateway, Socket socket)
      throws IOException {
    ClientServerConnection connection =
        new EntryPointConnection(
            gateway, socket, (Py4JPythonClientPerThread) getCallbackClient(), this, authToken);
    connection.startServerConnection();
    return connection;
  }

  /** Py4J wants a way back to Python; we never call back, so it never connects. */
  private static Py4JPythonClientPerThread clientThatIsNeverUsed(String token) {
    return new PythonClient(
        null,
        List.of(),
        GatewayServer.DEFAULT_PYTHON_PORT,
        GatewayServer.defaultAddress(),
        CallbackClient.DEFAULT_MIN_CONNECTION_TIME,
        TimeUnit.SECONDS,
        SocketFactory.getDefault(),
        null,
        false,
        NO_TIMEOUT,
        token);
  }

  /** A connection that knows one command. */
  private static final class EntryPointConnection extends ClientServerConnection {
    EntryPointConnection(
        Gateway gateway,
        Socket socket,
        Py4JPythonClientPerThread pythonClient,
        Py4JJavaServer server,
        String token)
        throws IOException {
      super(gateway, socket, List.of(), pythonClient, server, NO_TIMEOUT, token);
    }

    /** Called by the super constructor with all of Py4J's commands. */
    @Override
    protected void initCommands(Gateway gateway, List<Class<? extends Command>> all) {
      Command call = new EntryPointCall();
      call.init(gateway, this);
      commands.put(call.getCommandName(), call);
    }
  }

  /** Py4J's call command, for the entry point only. */
  private static final class EntryPointCall extends CallCommand {
    @Override
    public void execute(String commandName, BufferedReader reader, BufferedWriter writer)
        throws Py4JException, IOException {
      String target = reader.readLine();
      String method = reader.readLine();
      List<Object> arguments = getArguments(reader);
      ReturnObject answer =
          Protocol.ENTRY_POINT_OBJECT_ID.equals(target)
              ? invokeMethod(method, target, arguments)
              : ReturnObject.getErrorReturnObject(
                  new Py4JException("only the entry point can be called"));
      writer.write(Protocol.getOutputCommand(answer));
      writer.flush();
    }
  }
}
