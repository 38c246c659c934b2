package org.gumbel4j.gateway;

import static java.util.Map.entry;

import java.util.Map;
import java.util.TreeSet;
import org.gumbel4j.GumbelSoftmax;

/** The operators that Python can call, by name. A new operator is one line here. */
final class Operators {
  private static final Map<String, Operator> ALL =
      Map.ofEntries(
          entry("words", (sampler, call) -> sampler.words(call.noise(), call.matrix("out"))),
          entry(
              "uniform",
              (sampler, call) ->
                  sampler.uniform(call.type("type"), call.noise(), call.matrix("out"))),
          entry("gumbel", (sampler, call) -> sampler.gumbel(call.noise(), call.matrix("out"))),
          entry(
              "soft",
              (sampler, call) ->
                  sampler.soft(
                      call.matrix("logits"), call.number("tau"), call.noise(), call.matrix("out"))),
          entry(
              "hard",
              (sampler, call) ->
                  sampler.hard(call.matrix("logits"), call.noise(), call.matrix("out"))),
          entry(
              "categorical",
              (sampler, call) ->
                  sampler.categorical(call.matrix("logits"), call.noise(), call.matrix("out"))),
          entry(
              "vjp",
              (sampler, call) ->
                  sampler.vjp(
                      call.matrix("sample"),
                      call.matrix("upstream"),
                      call.number("tau"),
                      call.matrix("dlogits"),
                      call.matrix("dtau"))));

  private Operators() {}

  /** One operator, applied to the arguments of a call. */
  @FunctionalInterface
  interface Operator {
    void run(GumbelSoftmax sampler, Arguments arguments);
  }

  static Operator named(String name) {
    Operator operator = ALL.get(name);
    if (operator == null) {
      throw new IllegalArgumentException(
          "operator = " + name + ": must be one of " + new TreeSet<>(ALL.keySet()));
    }
    return operator;
  }
}
