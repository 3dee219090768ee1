'use strict';
/** The last lines a worker wrote to stderr: what a report of its death quotes. */

const MAX_BYTES = 8 * 1024;

class StderrTail {
  #chunks = [];
  #bytes = 0;

  /** @param {Buffer} chunk what the worker has just written */
  push(chunk) {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    while (this.#bytes - this.#chunks[0].length >= MAX_BYTES) this.#bytes -= this.#chunks.shift().length;
  }

  /**
   * @param {number} [count] how many lines at most, 20 unless told
   * @returns {string} the last lines, without the newline at the end; '' when nothing was written
   */
  lines(count = 20) {
    const text = Buffer.concat(this.#chunks).subarray(-MAX_BYTES).toString('utf8').trimEnd();
    return text.split('\n').slice(-count).join('\n');
  }
}

module.exports = { StderrTail };
