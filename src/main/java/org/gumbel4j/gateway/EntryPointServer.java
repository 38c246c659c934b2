package org.gumbel4j.gateway;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.EOFException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import javax.net.ServerSocketFactory;
import javax.net.SocketFactory;
import py4j.CallbackClient;
import py4j.ClientServerConnection;
import py4j.Gateway;
import py4j.GatewayServer;
import py4j.Protocol;
import py4j.Py4JException;
import py4j.Py4JJavaServer;
import py4j.Py4JPythonClientPerThread;
import py4j.Py4JServerConnection;
import py4j.PythonClient;
import py4j.commands.AbstractCommand;
import py4j.commands.CallCommand;
import py4j.commands.Command;

/**
 * A server of Py4J's {@code ClientServer} kind (a thread for each connection), on 127.0.0.1 and a
 * free port, narrowed to what the bridge needs.
 *
 * <p>A connection must present the token first ({@link Doorkeeper}). Then it can call the public
 * methods that {@link EntryPoint} declares, with integers and strings, and nothing else: not the
 * methods that every object has ({@code getClass} would lead to all classes), no other object, no
 * class. Py4J's other commands, which construct objects, read fields, reach every class of the JVM
 * ({@code jvm.java.lang.Runtime}) or shut it down, are not there at all; whoever sends one is told
 * so and loses the connection. What is left to a client with the token is what {@link EntryPoint}
 * offers, which includes mapping any file that this user may write.
 */
final class EntryPointServer extends GatewayServer {
  private static final int FREE_PORT = 0;
  private static final int NO_TIMEOUT = 0;

  private final Doorkeeper doorkeeper;

  EntryPointServer(EntryPoint entryPoint, String token) {
    this(entryPoint, new Doorkeeper(token), clientThatIsNeverUsed());
  }

  private EntryPointServer(
      EntryPoint entryPoint, Doorkeeper doorkeeper, Py4JPythonClientPerThread pythonClient) {
    // No token for Py4J: its own comparison stops at the first difference, and it never gives up.
    super(
        entryPoint,
        FREE_PORT,
        defaultAddress(),
        NO_TIMEOUT,
        NO_TIMEOUT,
        List.of(),
        pythonClient,
        new AttentiveFactory());
    this.doorkeeper = doorkeeper;
    pythonClient.setGateway(getGateway());
    pythonClient.setJavaServer(this);
  }

  @Override
  protected Py4JServerConnection createConnection(Gateway gateway, Socket socket)
      throws IOException {
    socket.setTcpNoDelay(true);
    ClientServerConnection connection =
        new EntryPointConnection(
            gateway, socket, (Py4JPythonClientPerThread) getCallbackClient(), this, doorkeeper);
    doorkeeper.arrived(socket);
    try {
      connection.startServerConnection();
    } catch (OutOfMemoryError noThread) {
      doorkeeper.left(socket);
      socket.close();
      throw new IOException(noThread); // Py4J goes on to accept others; an error would end it
    }
    return connection;
  }

  /**
   * Makes a server socket that hands out an {@link AttentiveSocket} for each connection, with a
   * long queue, so that a crowd of strangers does not fill it: whom the system turns away there
   * tries again only after a second.
   */
  private static final class AttentiveFactory extends ServerSocketFactory {
    private static final int QUEUE = 4096;
    private static final long PAUSE_MILLIS = 50;

    @Override
    public ServerSocket createServerSocket() throws IOException {
      return new ServerSocket() {
        @Override
        public void bind(SocketAddress address, int queue) throws IOException {
          super.bind(address, QUEUE);
        }

        @Override
        public Socket accept() throws IOException {
          while (true) {
            Socket socket = new AttentiveSocket();
            try {
              implAccept(socket);
              return socket;
            } catch (IOException problem) {
              if (isClosed()) {
                throw problem;
              }
              pause(); // there may be too many open files; Py4J would accept nobody any more
            }
          }
        }
      };
    }

    private static void pause() throws IOException {
      try {
        Thread.sleep(PAUSE_MILLIS);
      } catch (InterruptedException ending) {
        throw new InterruptedIOException();
      }
    }

    @Override
    public ServerSocket createServerSocket(int port) throws IOException {
      return createServerSocket(port, QUEUE);
    }

    @Override
    public ServerSocket createServerSocket(int port, int queue) throws IOException {
      return createServerSocket(port, queue, defaultAddress());
    }

    @Override
    public ServerSocket createServerSocket(int port, int queue, InetAddress address)
        throws IOException {
      return new ServerSocket(port, queue, address);
    }
  }

  /** Py4J wants a way back to Python; we never call back, so it never connects. */
  private static Py4JPythonClientPerThread clientThatIsNeverUsed() {
    return new PythonClient(
        null,
        List.of(),
        DEFAULT_PYTHON_PORT,
        defaultAddress(),
        CallbackClient.DEFAULT_MIN_CONNECTION_TIME,
        TimeUnit.SECONDS,
        SocketFactory.getDefault(),
        null,
        false,
        NO_TIMEOUT,
        null);
  }

  /** A connection that must be admitted first and knows one command. */
  private static final class EntryPointConnection extends ClientServerConnection {
    private final Socket client;
    private final Doorkeeper doorkeeper;

    EntryPointConnection(
        Gateway gateway,
        Socket socket,
        Py4JPythonClientPerThread pythonClient,
        Py4JJavaServer server,
        Doorkeeper doorkeeper)
        throws IOException {
      super(gateway, socket, List.of(), pythonClient, server, NO_TIMEOUT);
      this.client = socket;
      this.doorkeeper = doorkeeper;
    }

    @Override
    public void run() {
      if (doorkeeper.admits(client)) {
        super.run();
      } else {
        shutdown(true);
        fireConnectionStopped();
      }
    }

    /** Called by the super constructor with all of Py4J's commands. */
    @Override
    protected void initCommands(Gateway gateway, List<Class<? extends Command>> all) {
      Command call = new EntryPointCall();
      call.init(gateway, this);
      commands.put(call.getCommandName(), call);
    }
  }

  /** Py4J's call command, for what the entry point declares only. */
  private static final class EntryPointCall extends AbstractCommand {
    private static final Map<String, Method> METHODS = methods();

    EntryPointCall() {
      commandName = CallCommand.CALL_COMMAND_NAME;
    }

    private static Map<String, Method> methods() {
      Map<String, Method> byName = new TreeMap<>();
      for (Method method : EntryPoint.class.getDeclaredMethods()) {
        if (Modifier.isPublic(method.getModifiers())) {
          byName.put(method.getName(), method);
        }
      }
      return byName;
    }

    @Override
    public void execute(String command, BufferedReader reader, BufferedWriter writer)
        throws IOException {
      String target = line(reader);
      String name = line(reader);
      List<String> arguments = new ArrayList<>();
      for (String part = line(reader); !Protocol.isEnd(part); part = line(reader)) {
        arguments.add(part);
      }
      writer.write(answer(target, name, arguments));
      writer.flush();
    }

    private static String line(BufferedReader reader) throws IOException {
      String line = reader.readLine();
      if (line == null) {
        throw new EOFException("the connection ended within a request");
      }
      return line;
    }

    private String answer(String target, String name, List<String> arguments) {
      Method method = METHODS.get(name);
      if (!Protocol.ENTRY_POINT_OBJECT_ID.equals(target) || method == null) {
        return refused("only the entry point's methods can be called: " + METHODS.keySet());
      }
      Class<?>[] types = method.getParameterTypes();
      if (arguments.size() != types.length) {
        return refused(name + " takes " + types.length + " arguments, got " + arguments.size());
      }
      try {
        Object[] values = new Object[types.length];
        for (int i = 0; i < types.length; i++) {
          values[i] = value(types[i], arguments.get(i));
        }
        Object result = method.invoke(gateway.getEntryPoint(), values);
        return Protocol.getOutputCommand(gateway.getReturnObject(result));
      } catch (IllegalArgumentException wrong) {
        return refused(name + ": " + wrong.getMessage());
      } catch (InvocationTargetException failure) {
        return Protocol.getOutputErrorCommand(failure.getCause());
      } catch (IllegalAccessException impossible) {
        throw new AssertionError("the entry point's methods are public", impossible);
      }
    }

    /** Reads one argument as Py4J writes it: its kind in the first character. */
    private static Object value(Class<?> type, String part) {
      boolean integer = Protocol.isInteger(part) || Protocol.isLong(part);
      if (type == long.class && integer) {
        return Protocol.getLong(part);
      }
      if (type == int.class && integer) {
        return Protocol.getInteger(part);
      }
      if (type == String.class && Protocol.isString(part)) {
        return Protocol.getString(part);
      }
      throw new IllegalArgumentException("an argument must be of type " + type.getSimpleName());
    }

    private static String refused(String why) {
      return Protocol.getOutputErrorCommand(new Py4JException(why));
    }
  }
}
