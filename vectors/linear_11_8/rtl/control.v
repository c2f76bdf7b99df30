`timescale 1ns / 1ps
// control: the loop counters and the pace of the weight banks. One beat per cycle in the order
//   for cot: for oy: for ox: for ky: for kx: for cit: for word in 0..flag[cot,ky,kx,cit]
// Cycle c = 0 follows the edge that samples start. No multiplier: every address is a base plus steps from the CSRs.
//
// Input address: a_oy is the word of the window's corner for (oy, ox = 0), a_ox for (oy, ox), a_ky for (.., ky, kx = 0),
// a_kx for (.., ky, kx); adding tile_word + cit gives (y*IW + x)*CIT + cit. tile_word is the first word of a depthwise
// tile's own channels, else 0. y and x run beside them and tell padding from image; a word past the pixel's is padding too.
// Weights: w_ptr walks the words of the bank; it returns to the tile's first word after each pixel.
// Bank pace (dma = 1): tile t loads for LD_t cycles into bank t[0]; it may start when the loader is idle and tile t-2 has
// issued its last beat, in the very cycle of that beat; its first beat issues in the cycle after its last load cycle.
module control #(
    parameter TN         = 16,
    parameter TM         = 16,
    parameter FLAG_DEPTH = 64,
    parameter TILE_DEPTH = 4
) (
    input  wire        clk,
    input  wire        rst,
    input  wire        start,
    input  wire        host_flag_we,
    input  wire        host_ldlen_we,
    input  wire [31:0] host_addr,
    input  wire [31:0] host_data,
    input  wire        two_word, dma,
    input  wire [15:0] n_cot, n_oh, n_ow, n_kh, n_kw, n_cit, n_ih, n_iw,
    input  wire [15:0] stride_y, stride_x, dil_y, dil_x,
    input  wire signed [17:0] pad_top, pad_left,
    input  wire [31:0] base, step_kx, step_ky, step_ox, step_oy, step_cot, n_words,
    output wire        issue,           // c
    output wire        in_image,        // c: the input position lies in the image
    output wire [31:0] x_addr,          // c: NBin word
    output wire        bank,            // c
    output wire [31:0] w_addr,          // c: word of the SB bank
    output wire        first,           // c: first beat of its pixel
    output wire        last,            // c: last beat of its pixel
    output wire        layer_end,           // c: last beat of the layer
    output reg  [31:0] cot,             // c
    output reg  [31:0] out_addr         // c: (oy*OW + ox)*COT + cot
);
    localparam FAW = (FLAG_DEPTH > 1) ? $clog2(FLAG_DEPTH) : 1;
    localparam [31:0] SHARE = (TN > TM) ? TN/TM - 1 : 0;
    localparam TAW = (TILE_DEPTH > 1) ? $clog2(TILE_DEPTH) : 1;

    // ---- loop counters -------------------------------------------------------------------------------------------
    reg        running;
    reg [15:0] oy, ox, ky, kx, cit;
    reg        word;
    reg        fresh;                   // the pixel has issued no beat yet

    reg        flag_mem [0:FLAG_DEPTH-1];
    reg [31:0] f_ptr, f_base;           // flag of this tile position, and of the tile's first
    always @(posedge clk) if (host_flag_we) flag_mem[host_addr[FAW-1:0]] <= host_data[0];
    wire flag = two_word && flag_mem[f_ptr[FAW-1:0]];

    wire end_word = (word == flag);
    wire end_cit  = end_word && (cit == n_cit - 16'd1);
    wire end_kx   = end_cit && (kx == n_kw - 16'd1);
    wire end_ky   = end_kx && (ky == n_kh - 16'd1);
    wire end_ox   = end_ky && (ox == n_ow - 16'd1);
    wire end_oy   = end_ox && (oy == n_oh - 16'd1);
    wire end_cot  = end_oy && (cot == {16'd0, n_cot} - 32'd1);

    // ---- positions and input addresses ---------------------------------------------------------------------------
    reg signed [34:0] y, y_pixel, x, x_pixel;   // y_pixel, x_pixel: corner of the window
    reg [31:0] a_oy, a_ox, a_ky, a_kx, tile_word;

    wire signed [34:0] top   = -pad_top;
    wire signed [34:0] left  = -pad_left;
    wire signed [34:0] sy    = $signed({19'd0, stride_y});
    wire signed [34:0] sx    = $signed({19'd0, stride_x});
    wire signed [34:0] dy    = $signed({19'd0, dil_y});
    wire signed [34:0] dx    = $signed({19'd0, dil_x});
    wire signed [34:0] ih    = $signed({19'd0, n_ih});
    wire signed [34:0] iw    = $signed({19'd0, n_iw});
    wire [31:0] a_next_row   = a_oy + step_oy;
    wire [31:0] a_next_pixel = a_ox + step_ox;
    wire        word_ends    = ((cot & SHARE) == SHARE);     // TN > TM: several tiles share an input word

    assign in_image = (y >= 0) && (y < ih) && (x >= 0) && (x < iw) && (tile_word + {16'd0, cit} < n_words);
    assign x_addr   = a_kx + tile_word + {16'd0, cit};

    // ---- weight words --------------------------------------------------------------------------------------------
    reg [31:0] w_ptr;
    reg [31:0] w_base0, w_base1;        // first word of the tile in each bank
    wire [31:0] w_base  = bank ? w_base1 : w_base0;
    wire [31:0] w_other = bank ? w_base0 : w_base1;

    assign bank   = cot[0];
    assign w_addr = w_ptr;
    assign first  = fresh;
    assign last   = end_ky;
    assign layer_end  = end_cot;

    // ---- the banks' pace -----------------------------------------------------------------------------------------
    reg [31:0] ldlen_mem [0:TILE_DEPTH-1];
    always @(posedge clk) if (host_ldlen_we) ldlen_mem[host_addr[TAW-1:0]] <= host_data;

    reg [1:0]  full;                    // bank holds a complete tile
    reg        loading;
    reg [31:0] load_left;               // load cycles left, this one included
    reg [31:0] load_tile;               // tile that loads, or loads next
    wire       load_last    = loading && (load_left == 32'd1);
    wire [31:0] next_tile   = load_last ? load_tile + 32'd1 : load_tile;
    wire       release_bank = issue && end_oy;
    wire       next_free    = !full[next_tile[0]] || (release_bank && bank == next_tile[0]);
    wire       load_start   = dma && running && (!loading || load_last) && (next_tile < {16'd0, n_cot}) && next_free;

    assign issue = running && (!dma || full[bank]);

    always @(posedge clk) begin
        if (rst || start) begin
            full      <= 2'b00;
            loading   <= start && !rst && dma;
            load_tile <= 32'd0;
            load_left <= ldlen_mem[0];
        end else begin
            if (release_bank) full[bank] <= 1'b0;
            if (load_last) full[load_tile[0]] <= 1'b1;
            load_tile <= next_tile;
            if (load_start) begin
                loading   <= 1'b1;
                load_left <= ldlen_mem[next_tile[TAW-1:0]];
            end else begin
                loading   <= loading && !load_last;
                load_left <= load_left - 32'd1;
            end
        end
    end

    // ---- one beat ------------------------------------------------------------------------------------------------
    always @(posedge clk) begin
        if (rst) running <= 1'b0;
        else if (start) running <= 1'b1;
        else if (issue && end_cot) running <= 1'b0;
    end

    always @(posedge clk) begin
        if (start) begin
            {oy, ox, ky, kx, cit, word} <= 81'd0;
            fresh   <= 1'b1;
            cot     <= 32'd0;
            out_addr <= 32'd0;
            {f_ptr, f_base, w_ptr, w_base0, w_base1} <= 160'd0;
            y <= top;  y_pixel <= top;  x <= left;  x_pixel <= left;
            a_oy <= base;  a_ox <= base;  a_ky <= base;  a_kx <= base;  tile_word <= 32'd0;
        end else if (issue) begin
            fresh <= end_ky;
            word  <= end_word ? 1'b0 : 1'b1;
            w_ptr <= w_ptr + 32'd1;
            if (end_word) begin cit <= cit + 16'd1; f_ptr <= f_ptr + 32'd1; end
            if (end_cit) begin
                cit <= 16'd0;  kx <= kx + 16'd1;  x <= x + dx;  a_kx <= a_kx + step_kx;
            end
            if (end_kx) begin
                kx <= 16'd0;  ky <= ky + 16'd1;  x <= x_pixel;  y <= y + dy;
                a_ky <= a_ky + step_ky;  a_kx <= a_ky + step_ky;
            end
            if (end_ky) begin                           // next pixel: same weights again
                ky <= 16'd0;  ox <= ox + 16'd1;
                w_ptr <= w_base;  f_ptr <= f_base;
                out_addr <= out_addr + {16'd0, n_cot};
                y <= y_pixel;  x <= x_pixel + sx;  x_pixel <= x_pixel + sx;
                a_ox <= a_next_pixel;  a_ky <= a_next_pixel;  a_kx <= a_next_pixel;
            end
            if (end_ox) begin                           // next row
                ox <= 16'd0;  oy <= oy + 16'd1;
                y <= y_pixel + sy;  y_pixel <= y_pixel + sy;  x <= left;  x_pixel <= left;
                a_oy <= a_next_row;  a_ox <= a_next_row;  a_ky <= a_next_row;  a_kx <= a_next_row;
            end
            if (end_oy) begin                           // next output tile: the other bank
                oy <= 16'd0;  cot <= cot + 32'd1;
                out_addr <= cot + 32'd1;
                if (bank) w_base1 <= w_ptr + 32'd1; else w_base0 <= w_ptr + 32'd1;
                w_ptr <= w_other;
                f_ptr <= f_ptr + 32'd1;  f_base <= f_ptr + 32'd1;
                y <= top;  y_pixel <= top;
                if (word_ends) tile_word <= tile_word + step_cot;
                a_oy <= base;  a_ox <= base;  a_ky <= base;  a_kx <= base;
            end
        end
    end
endmodule
