"""A causal language model of transformers, hosted in this process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from guard.errors import GenerationError, GuardError, InputError, MissingExtraError, ModelNotFoundError
from guard.media import Artifact
from models.base import Ending, GenerationRequest, ModelCard
from models.local.checkpoint import Checkpoint, card_of
from models.local.parameters import integer, number, only, seed_or_random, strings
from models.local.seeding import seeded
from models.local.stops import until_stop

__all__ = ["LocalText"]

_KNOWN = ("max_tokens", "stop", "temperature", "top_p")
_DEFAULT_TOKENS = 256


@dataclass(frozen=True, slots=True)
class _Plan:
    inputs: Mapping[str, Any]
    used: int
    options: Mapping[str, Any]
    stops: Sequence[str]
    seed: int


class LocalText:
    """The causal language model in a checkpoint: safetensors alone, no code from the checkpoint, no network.

    Parameters: `max_tokens` (256), `temperature` (1; 0 takes the likeliest token), `top_p` (1), `stop` (texts
    that end the answer and are not part of it). One seed gives one answer again on the same machine. A mark
    needs a choice of words: at temperature 0 there is none, and the text goes unmarked.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._tokenizer, self._model = _loaded(checkpoint)
        self._card = card_of(checkpoint)

    @property
    def card(self) -> ModelCard:
        return self._card

    @property
    def tokenizer(self) -> Any:
        """What reads a mark in its texts needs this."""
        return self._tokenizer

    @property
    def vocabulary(self) -> int:
        """How many tokens it chooses from; rounded up, as most models' are."""
        return int(self._model.config.get_text_config().vocab_size)

    def generate(self, request: GenerationRequest) -> Sequence[Artifact]:
        """`request.n` texts. Raises `InputError` for wrong parameters and `GenerationError` for all else."""
        plan = self._plan(request)
        answers = self._run(plan, request.n)
        texts = (self._tokenizer.decode(answer, skip_special_tokens=True) for answer in answers)
        return [_artifact("".join(until_stop([text], plan.stops))) for text in texts]

    def stream(self, request: GenerationRequest) -> Generator[str, None, Ending]:
        """Pieces of one text; together what `generate` gives for the same seed. Closed, the model stops."""
        from transformers import TextIteratorStreamer

        plan = self._plan(request)
        pieces = TextIteratorStreamer(self._tokenizer, skip_prompt=True, skip_special_tokens=True)
        left = threading.Event()
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(self._run, plan, 1, pieces, left)
            # Also when the model fails, or the reader of the pieces would wait for ever.
            running.add_done_callback(lambda _: pieces.end())
            try:
                yield from until_stop(pieces, plan.stops)
            finally:
                left.set()
        return self._ending(plan, running.result()[0])

    def _plan(self, request: GenerationRequest) -> _Plan:
        only(request.parameters, _KNOWN)
        temperature = number(request.parameters, "temperature", 1.0, 0.0, 2.0)
        top_p = number(request.parameters, "top_p", 1.0, 0.0, 1.0)
        stops = strings(request.parameters, "stop")
        inputs = self._inputs(request)
        used = inputs["input_ids"].shape[1]
        options: dict[str, Any] = {
            "max_new_tokens": self._room(request.parameters, used),
            "do_sample": temperature > 0,
            "pad_token_id": self._tokenizer.pad_token_id or self._tokenizer.eos_token_id,
        }
        if temperature > 0:
            options |= {"temperature": temperature, "top_p": top_p}
            if request.mark is not None:
                options["watermarking_config"] = request.mark.config()
        return _Plan(inputs, used, options, stops, seed_or_random(request.seed))

    def _inputs(self, request: GenerationRequest) -> Mapping[str, Any]:
        messages = [_plain(message) for message in request.messages]
        if self._tokenizer.chat_template:
            return self._templated(messages or [{"role": "user", "content": request.prompt}])
        lines = [f"{message['role']}: {message['content']}" for message in messages]
        prompt = "\n".join([*lines, "assistant:"]) if len(messages) > 1 else request.prompt
        if not prompt:
            raise InputError("The prompt is empty.", "Write what the model shall go on from.")
        encoded: Mapping[str, Any] = self._tokenizer(prompt, return_tensors="pt", return_token_type_ids=False)
        return encoded

    def _templated(self, messages: Sequence[Mapping[str, str]]) -> Mapping[str, Any]:
        from jinja2 import TemplateError

        try:
            encoded: Mapping[str, Any] = self._tokenizer.apply_chat_template(
                messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
            )
        except TemplateError as error:
            raise InputError(f"The model's chat template refuses these messages: {error}.") from error
        return encoded

    def _room(self, parameters: Mapping[str, Any], used: int) -> int:
        """How many tokens the answer may have: what was asked for, or else as many as fit."""
        context = getattr(self._model.config, "max_position_embeddings", None) or 1 << 20
        left = context - used
        if left < 1:
            raise InputError(f"The prompt has {used} tokens; the model takes {context - 1}.", "Shorten it.")
        return integer(parameters, "max_tokens", min(_DEFAULT_TOKENS, left), 1, left)

    def _run(self, plan: _Plan, n: int, streamer: Any = None, left: threading.Event | None = None) -> Any:
        """The tokens of `n` answers, without the prompt's: a tensor (n, tokens)."""
        inputs = {name: tensor.to(self._model.device).repeat(n, 1) for name, tensor in plan.inputs.items()}
        halt = self._halt(plan, left or threading.Event())
        try:
            with seeded(plan.seed):
                tokens = self._model.generate(
                    **inputs, **plan.options, streamer=streamer, stopping_criteria=[halt]
                )
        except Exception as error:  # whatever torch or the model's code raises: the model failed
            raise GenerationError(f"The model {self._card.name} failed: {error}") from error
        return tokens[:, plan.used :]

    def _ending(self, plan: _Plan, tokens: Any) -> Ending:
        text = self._tokenizer.decode(tokens, skip_special_tokens=True)
        full = len(tokens) >= plan.options["max_new_tokens"]
        special = int(tokens[-1]) in self._tokenizer.all_special_ids if len(tokens) else True
        stopped = special or any(stop in text for stop in plan.stops)
        return Ending("length" if full and not stopped else "stop", plan.used, len(tokens))

    def _halt(self, plan: _Plan, left: threading.Event) -> Callable[..., Any]:
        """Tells after each token which answers are done: those with a stop text, or all once nobody listens.

        transformers' own stop strings fail on tokenizers that write spaces between words.
        """
        import torch

        reach = max((len(stop) for stop in plan.stops), default=0) + 8

        def halt(tokens: Any, _scores: Any, **_: Any) -> Any:
            ends = self._tokenizer.batch_decode(tokens[:, plan.used :][:, -reach:], skip_special_tokens=True)
            done = [left.is_set() or any(stop in end for stop in plan.stops) for end in ends]
            return torch.tensor(done, device=tokens.device)

        return halt


def _loaded(checkpoint: Checkpoint) -> tuple[Any, Any]:
    try:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer
    except ImportError:
        raise MissingExtraError("Hosting a language model", "local") from None
    safely = {"local_files_only": True, "trust_remote_code": False}
    try:
        tokenizer = AutoTokenizer.from_pretrained(checkpoint.folder, **safely)
        model = AutoModelForCausalLM.from_pretrained(checkpoint.folder, use_safetensors=True, **safely)
    except Exception as error:  # many types, and each says that this is no such checkpoint
        raise ModelNotFoundError(
            f"{checkpoint.name} does not load as a language model: {error}",
            "It must be a causal language model of transformers, with its weights in safetensors.",
        ) from error
    return tokenizer, model.to("cuda" if torch.cuda.is_available() else "cpu").eval()


def _plain(message: Mapping[str, Any]) -> dict[str, str]:
    """A message with its content as one text; OpenAI also allows a list of parts."""
    content = message.get("content")
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    if not isinstance(parts, list) or not all(map(_is_text, parts)):
        raise InputError("This model reads text alone.", "Send messages whose content is text.")
    return {"role": str(message.get("role", "user")), "content": "".join(part["text"] for part in parts)}


def _is_text(part: object) -> bool:
    return isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str)


def _artifact(text: str) -> Artifact:
    if not text:
        raise GenerationError("The model ended its answer before it began.", "Try another seed or prompt.")
    try:
        return Artifact.from_text(text)
    except GuardError as error:
        raise GenerationError(f"The model's text cannot be used: {error.message}") from error
