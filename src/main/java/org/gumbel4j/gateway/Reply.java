package org.gumbel4j.gateway;

import java.io.IOException;
import org.gumbel4j.InvalidLogitsException;

/**
 * The text form of answers to Python. Fields are separated by tabs, the first is the state:
 *
 * <pre>
 * done      result
 * running
 * cancelled
 * failed    kind    row    message
 * </pre>
 *
 * <p>The kind of a failure tells Python which exception to raise: {@code argument}, {@code row} (an
 * argument that is wrong in the given row; otherwise the row is -1), {@code memory} or {@code
 * internal}.
 */
final class Reply {
  static final String RUNNING = "running";
  static final String CANCELLED = "cancelled";

  /** What HotSpot says of an access to mapped memory that failed. */
  private static final String MEMORY_FAULT = "unsafe memory access";

  private Reply() {}

  static String done(String result) {
    return "done\t" + result;
  }

  static String failed(Throwable failure) {
    return switch (failure) {
      case InvalidLogitsException invalid -> failed("row", invalid.row(), invalid.getMessage());
      case Batch.InvalidRowException invalid -> failed("row", invalid.row(), invalid.getMessage());
      case IllegalArgumentException invalid -> failed("argument", -1, invalid.getMessage());
      case IndexOutOfBoundsException invalid -> failed("argument", -1, invalid.getMessage());
      case OutOfMemoryError full -> failed("memory", -1, "Java: " + full.getMessage());
      case IOException noMapping when noMapping.getCause() instanceof OutOfMemoryError ->
          failed("memory", -1, "Java cannot map shared memory: " + noMapping.getMessage());
      case InternalError fault when String.valueOf(fault.getMessage()).contains(MEMORY_FAULT) ->
          failed(
              "internal",
              -1,
              "Java could not reach shared memory, whose file was cut short or cannot be read: "
                  + fault.getMessage());
      default -> failed("internal", -1, "Java: " + failure);
    };
  }

  private static String failed(String kind, long row, String message) {
    return "failed\t" + kind + "\t" + row + "\t" + message;
  }
}
