package org.gumbel4j.gateway;

import static java.util.Map.entry;

import java.util.Map;
import java.util.TreeSet;
import org.gumbel4j.GumbelSoftmax;
import org.gumbel4j.Matrix;

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
          entry("soft", Operators::soft),
          entry(
              "hard",
              (sampler, call) ->
                  sampler.hard(call.matrix("logits"), call.noise(), call.matrix("out"))),
          entry(
              "categorical",
              (sampler, call) ->
                  sampler.categorical(call.matrix("logits"), call.noise(), call.matrix("out"))),
          entry("vjp", Operators::vjp));

  private Operators() {}

  /** One operator, applied to what a call is given. */
  @FunctionalInterface
  interface Operator {
    void run(GumbelSoftmax sampler, Call call);
  }

  private static void soft(GumbelSoftmax sampler, Call call) {
    Matrix logits = call.matrix("logits");
    if (call.isMatrix("tau")) {
      sampler.soft(logits, call.matrix("tau"), call.noise(), call.matrix("out"));
    } else {
      sampler.soft(logits, call.number("tau"), call.noise(), call.matrix("out"));
    }
  }

  private static void vjp(GumbelSoftmax sampler, Call call) {
    Matrix sample = call.matrix("sample");
    Matrix upstream = call.matrix("upstream");
    Matrix dlogits = call.matrix("dlogits");
    if (call.isMatrix("tau") && call.isMatrix("dtau")) {
      sampler.vjp(sample, upstream, call.matrix("tau"), dlogits, call.matrix("dtau"));
    } else if (call.isMatrix("tau")) {
      sampler.vjp(sample, upstream, call.matrix("tau"), dlogits);
    } else if (call.isMatrix("dtau")) {
      sampler.vjp(sample, upstream, call.number("tau"), dlogits, call.matrix("dtau"));
    } else {
      sampler.vjp(sample, upstream, call.number("tau"), dlogits);
    }
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
